//! Servers that are too old, or have what is needed switched off, are refused at the start.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use barnabas_tests::zookeeper::LocalServer;
use barnabas_zk_session::{Session, StartError};

use crate::fixture::{LONG_MS, settings};

/// ZooKeeper's request code of `addWatch`, which 3.5 does not know.
const ADD_WATCH: i32 = 106;

/// ZooKeeper's request code of `multiRead`.
const MULTI_READ: i32 = 22;

async fn refusal(servers: &str) -> StartError {
    Session::start(settings(servers, LONG_MS))
        .await
        .expect_err("the server will not do")
}

fn read_frame(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut frame = vec![0; usize::try_from(i32::from_be_bytes(length)).ok()?];
    stream.read_exact(&mut frame).ok()?;
    Some(frame)
}

fn write_frame(stream: &mut TcpStream, parts: &[&[u8]]) -> Option<()> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    stream
        .write_all(&i32::try_from(length).ok()?.to_be_bytes())
        .ok()?;
    parts
        .iter()
        .try_for_each(|part| stream.write_all(part))
        .ok()
}

/// Gives a session, answers `code` as 3.5 does, with "unimplemented" and a closed connection, and
/// everything else with an empty success.
fn old_session(stream: &mut TcpStream, unknown: i32) -> Option<()> {
    read_frame(stream)?;
    let timeout_ms = 6_000_i32.to_be_bytes();
    let session = 77_i64.to_be_bytes();
    write_frame(
        stream,
        &[
            &[0; 4],
            &timeout_ms,
            &session,
            &16_i32.to_be_bytes(),
            &[7; 16],
            &[0],
        ],
    )?;
    loop {
        let request = read_frame(stream)?;
        let (xid, code) = (request.get(..4)?, request.get(4..8)?);
        let code = i32::from_be_bytes(code.try_into().ok()?);
        let error = if code == unknown { -6_i32 } else { 0 };
        write_frame(stream, &[xid, &1_i64.to_be_bytes(), &error.to_be_bytes()])?;
        if code == unknown {
            return None;
        }
    }
}

/// A server that knows everything but the request `unknown`. No 3.5 can be installed from a package
/// any more; what it answers was taken from its source.
fn old_server(unknown: i32) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || old_session(&mut stream, unknown));
        }
    });
    address
}

#[tokio::test]
async fn a_server_older_than_3_6_is_refused_with_the_way_out() {
    for (unknown, name) in [(ADD_WATCH, "addWatch"), (MULTI_READ, "multiRead")] {
        let error = refusal(&old_server(unknown).to_string()).await;
        let StartError::TooOld { operation, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(*operation, name);
        let text = error.to_string();
        assert!(
            text.contains("3.6") && text.contains("Upgrade the ensemble"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_server_with_persistent_watches_switched_off_is_refused_with_the_way_out() {
    let optimized =
        "zookeeper.watchManagerName=org.apache.zookeeper.server.watch.WatchManagerOptimized";
    let server = LocalServer::start_with(&[optimized]);
    let error = refusal(&server.address().to_string()).await;
    assert!(
        matches!(error, StartError::NoPersistentWatches { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("watchManagerName"));
}
