//! Peers that send what no client sends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use barnabas_tests::cluster::Cluster;

/// Patience for the broker to answer or close.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Sends bytes and returns what came back until the broker closed, or an error on time-out.
fn talk(cluster: &Cluster, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(cluster.brokers[0].address())?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(bytes)?;
    let mut back = Vec::new();
    match stream.read_to_end(&mut back) {
        // The broker may close before it has read all.
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => Ok(back),
        other => other.map(|_| back),
    }
}

#[track_caller]
fn closed(cluster: &Cluster, bytes: &[u8]) {
    let back = talk(cluster, bytes).expect("the broker closes the connection");
    assert_eq!(back, Vec::<u8>::new());
    cluster.tool(&["topic", "list"]).ok();
}

/// A frame of a request header of version 1 with this api key and version, and this body.
fn frame(api_key: i16, api_version: i16, body: &[u8]) -> Vec<u8> {
    let mut inner = Vec::new();
    inner.extend(api_key.to_be_bytes());
    inner.extend(api_version.to_be_bytes());
    inner.extend(7_i32.to_be_bytes());
    inner.extend((-1_i16).to_be_bytes());
    inner.extend(body);
    let mut all = i32::try_from(inner.len()).unwrap().to_be_bytes().to_vec();
    all.extend(inner);
    all
}

#[test]
fn garbage_closes_one_connection_and_harms_nobody() {
    let cluster = Cluster::start("hostile", 1, &[]);
    closed(&cluster, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    closed(&cluster, &[0xff; 64]);
    closed(&cluster, &i32::MAX.to_be_bytes());
    closed(&cluster, &(-1_i32).to_be_bytes());
    closed(&cluster, &0_i32.to_be_bytes());
    closed(&cluster, &frame(9999, 0, &[]));
    // Metadata v0 with an array that claims 2^31 - 1 elements.
    closed(&cluster, &frame(3, 0, &[0x7f, 0xff, 0xff, 0xff, 0x00]));
    // Produce of a version that nobody knows.
    closed(&cluster, &frame(0, 99, &[]));
    let log = cluster.brokers[0].log_text();
    assert!(!log.contains("panicked"), "{log}");
}

/// A version of `ApiVersions` from the future is answered in version 0 with error 35 and the list.
#[test]
fn an_api_versions_request_from_the_future_is_answered() {
    let cluster = Cluster::start("hostile-future", 1, &[]);
    let mut stream = TcpStream::connect(cluster.brokers[0].address()).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream.write_all(&frame(18, 77, &[0])).unwrap();
    let mut head = [0; 10];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(&head[4..8], 7_i32.to_be_bytes(), "the correlation id");
    assert_eq!(&head[8..10], 35_i16.to_be_bytes(), "UNSUPPORTED_VERSION");
}
