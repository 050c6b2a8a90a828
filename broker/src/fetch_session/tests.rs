//! One test for each sentence of KIP-227 that a reader can notice.

use barnabas_wire::id::PartitionId;

use super::*;

fn key(partition: i32) -> SessionKey {
    SessionKey::new("t", PartitionId(partition))
}

fn wanted(fetch_offset: i64) -> Wanted {
    Wanted {
        fetch_offset,
        max_bytes: 100,
        current_leader_epoch: -1,
        last_fetched_epoch: -1,
    }
}

fn news(high_watermark: i64) -> News {
    News {
        high_watermark,
        log_start_offset: 0,
        has_records: false,
        is_urgent: false,
    }
}

fn open(sessions: &FetchSessions, partitions: &[i32], now_ms: i64) -> i32 {
    let mut next = 0;
    let partitions = partitions
        .iter()
        .map(|&index| (key(index), wanted(0), news(5)));
    sessions.open(partitions, now_ms, || {
        next += 1;
        next
    })
}

fn incremental(sessions: &FetchSessions, id: i32, epoch: i32) -> Arc<Mutex<Session>> {
    match sessions.begin(SessionHeader { id, epoch }, &[], &[], 0) {
        Ok(FetchContext::Incremental {
            session,
            expected_epoch,
            ..
        }) => {
            assert_eq!(expected_epoch, epoch + 1);
            session
        }
        other => panic!("not incremental: {other:?}"),
    }
}

fn order(session: &Mutex<Session>) -> Vec<i32> {
    session
        .lock()
        .partitions()
        .map(|(key, _)| key.partition.0)
        .collect()
}

#[test]
fn a_session_is_opened_and_its_requests_are_counted() {
    let sessions = FetchSessions::new(10);
    let id = open(&sessions, &[0, 1], 0);
    assert_eq!(id, 1);
    incremental(&sessions, id, 1);
    incremental(&sessions, id, 2);
    let repeated = sessions.begin(SessionHeader { id, epoch: 2 }, &[], &[], 0);
    assert_eq!(
        repeated.err(),
        Some(SessionRefusal::WrongEpoch {
            id,
            expected: 3,
            received: 2
        })
    );
    let unknown = sessions.begin(SessionHeader { id: 9, epoch: 1 }, &[], &[], 0);
    assert_eq!(unknown.err(), Some(SessionRefusal::NotFound { id: 9 }));
}

#[test]
fn a_request_changes_only_what_it_names() {
    let sessions = FetchSessions::new(10);
    let id = open(&sessions, &[0, 1, 2], 0);
    let named = [(key(1), wanted(7)), (key(3), wanted(9))];
    let header = SessionHeader { id, epoch: 1 };
    let context = sessions.begin(header, &named, &[key(0)], 0).unwrap();
    let FetchContext::Incremental { session, .. } = context else {
        panic!("{context:?}")
    };
    let session = session.lock();
    let found: Vec<_> = session
        .partitions()
        .map(|(key, wanted)| (key.partition.0, wanted.fetch_offset))
        .collect();
    assert_eq!(found, [(1, 7), (2, 0), (3, 9)]);
}

#[test]
fn an_answer_leaves_out_what_has_no_news() {
    let sessions = FetchSessions::new(10);
    let id = open(&sessions, &[0, 1], 0);
    let session = incremental(&sessions, id, 1);
    let mut session = session.lock();
    assert!(!session.tell(&key(0), &news(5)));
    assert!(session.tell(&key(0), &news(6)), "the high watermark moved");
    assert!(!session.tell(&key(0), &news(6)));
    assert!(session.tell(
        &key(0),
        &News {
            log_start_offset: 2,
            ..news(6)
        }
    ));
    assert!(session.tell(
        &key(0),
        &News {
            has_records: true,
            log_start_offset: 2,
            ..news(6)
        }
    ));
    assert!(session.tell(
        &key(0),
        &News {
            is_urgent: true,
            ..news(-1)
        }
    ));
    assert!(
        session.tell(
            &key(0),
            &News {
                is_urgent: true,
                ..news(-1)
            }
        ),
        "errors always"
    );
    assert!(!session.tell(&key(7), &news(5)), "not of this session");
}

#[test]
fn a_partition_that_gave_records_is_read_last_next_time() {
    let sessions = FetchSessions::new(10);
    let id = open(&sessions, &[0, 1, 2], 0);
    let session = incremental(&sessions, id, 1);
    session.lock().tell(
        &key(0),
        &News {
            has_records: true,
            ..news(5)
        },
    );
    assert_eq!(order(&session), [1, 2, 0]);
}

#[test]
fn a_full_request_ends_the_session_it_names() {
    let sessions = FetchSessions::new(10);
    for epoch in [0, -1] {
        let id = open(&sessions, &[0], 0);
        assert_eq!(sessions.count(), 1);
        sessions
            .begin(SessionHeader { id, epoch }, &[], &[], 0)
            .unwrap();
        assert_eq!(sessions.count(), 0);
    }
}

#[test]
fn a_session_without_partitions_ends() {
    let sessions = FetchSessions::new(10);
    let id = open(&sessions, &[0], 0);
    let context = sessions.begin(SessionHeader { id, epoch: 1 }, &[], &[key(0)], 0);
    assert!(matches!(context, Ok(FetchContext::Sessionless)));
    assert_eq!(sessions.count(), 0);
    assert_eq!(open(&sessions, &[], 0), 0);
}

#[test]
fn only_an_idle_session_makes_room_for_another() {
    let sessions = FetchSessions::new(1);
    let first = open(&sessions, &[0], 0);
    assert_eq!(open(&sessions, &[0], SESSION_IDLE_MAX_MS - 1), 0, "no room");
    let mut next = 1;
    let partitions = [(key(0), wanted(0), news(5))];
    let second = sessions.open(partitions, SESSION_IDLE_MAX_MS, || {
        next += 1;
        next
    });
    assert_eq!((first, second, sessions.count()), (1, 2, 1));
}
