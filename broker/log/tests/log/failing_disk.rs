//! A disk that is full, or broken.

use crate::support::*;
use barnabas_log::error::{AppendError, LogError};
use barnabas_log::files::{Fault, Operation};
use barnabas_log::settings::LogSettings;
use barnabas_wire::id::Offset;

fn fault(operation: Operation, errno: i32) -> Fault {
    Fault {
        operation: Some(operation),
        after: 0,
        times: u64::MAX,
        errno,
    }
}

/// Appends until it fails.
fn fill_up(log: &barnabas_log::partition_log::PartitionLog) -> (u64, AppendError) {
    for count in 0.. {
        match append(log, &batch_of_size(NOW_MS, 3, 1000)) {
            Ok(appended) => drop(appended),
            Err(error) => return (count, error),
        }
    }
    panic!("the fault never came")
}

/// A full disk is an error to that append; when there is space again the log goes on where it was.
#[test]
fn a_log_goes_on_when_there_is_space_again() {
    let flushing = LogSettings {
        flush_messages: 1,
        ..small()
    };
    for settings in [small(), flushing] {
        for operation in [Operation::Allocate, Operation::Open, Operation::Write] {
            let place = Place::new(settings.clone());
            let (log, _) = place.open(0);
            fill(&log, &batch(&[(NOW_MS, b"first")]));
            place.files.fail(fault(operation, libc::ENOSPC));
            let (count, error) = fill_up(&log);
            assert!(
                matches!(error, AppendError::Log(LogError::NoSpace { .. })),
                "{error}"
            );
            assert!(fill_up(&log).0 == 0, "still full");
            place.files.heal();
            let log_end = log.offsets().log_end;
            assert_eq!(log_end.0, 1 + 3 * i64::try_from(count).unwrap());
            fill(&log, &batch(&[(NOW_MS, b"again")]));
            let records = records_from(&log, 0);
            assert_eq!(records.last().unwrap(), &(log_end.0, b"again".to_vec()));
            assert_eq!(i64::try_from(records.len()).unwrap(), log_end.0 + 1);
            drop(log);
            let (log, _) = place.open(0);
            assert_eq!(records_from(&log, 0), records, "{operation:?}");
        }
    }
}

#[test]
fn a_failed_flush_is_final() {
    let place = Place::new(small());
    let (log, _) = place.open(0);
    fill(&log, &batch(&[(NOW_MS, b"value")]));
    place.files.fail(fault(Operation::SyncData, libc::EIO));
    assert!(matches!(log.flush(NOW_MS), Err(LogError::Offline(_))));
    place.files.heal();
    assert!(
        matches!(log.flush(NOW_MS), Err(LogError::Offline(_))),
        "nothing tells what was lost"
    );
    assert_eq!(log.offsets().recovery_point, Offset(0));
    let error = append(&log, &batch(&[(NOW_MS, b"more")])).unwrap_err();
    assert!(
        matches!(error, AppendError::Log(LogError::Offline(_))),
        "{error}"
    );
    assert!(log.health().failure().is_some());
}

#[test]
fn a_full_disk_at_a_flush_is_final_too() {
    let place = Place::new(small());
    let (log, _) = place.open(0);
    fill(&log, &batch(&[(NOW_MS, b"value")]));
    place.files.fail(fault(Operation::SyncData, libc::ENOSPC));
    assert!(matches!(log.flush(NOW_MS), Err(LogError::Offline(_))));
}

#[test]
fn a_write_that_the_medium_refuses_takes_the_directory_offline() {
    for (operation, flush_messages) in [(Operation::MapWrite, u64::MAX), (Operation::Write, 1)] {
        let place = Place::new(LogSettings {
            flush_messages,
            ..small()
        });
        let (log, _) = place.open(0);
        fill(&log, &batch(&[(NOW_MS, b"value")]));
        place.files.fail(fault(operation, libc::EIO));
        let error = append(&log, &batch(&[(NOW_MS, b"more")])).unwrap_err();
        assert!(
            matches!(error, AppendError::Log(LogError::Offline(_))),
            "{error}"
        );
        place.files.heal();
        assert!(append(&log, &batch(&[(NOW_MS, b"more")])).is_err());
        drop(log);
        let (log, _) = place.open(0);
        assert_eq!(records_from(&log, 0), [(0, b"value".to_vec())]);
    }
}

/// Too many maps, or a file system that cannot allocate: slower, not broken.
#[test]
fn a_log_works_without_maps_and_without_allocation() {
    for operation in [Operation::Map, Operation::Allocate] {
        let place = Place::new(small());
        let (log, _) = place.open(0);
        place.files.fail(fault(operation, libc::EOPNOTSUPP));
        for index in 0..100 {
            fill(&log, &batch_of_size(NOW_MS + index, 3, 1000));
        }
        assert_eq!(place.files.count_of(Operation::MapWrite), 0);
        let records = records_from(&log, 0);
        assert_eq!(records.len(), 300);
        log.close(NOW_MS).unwrap();
        place.files.heal();
        let (log, _) = place.open_clean();
        assert_eq!(records_from(&log, 0), records);
    }
}

/// The kernel's own answer, where a file system can be mounted; elsewhere the injected one above.
#[test]
fn a_really_full_file_system_is_survived() {
    let place = Place::new(small());
    let mount = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
        .arg(&place.open.directory)
        .output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        println!("not allowed to mount: only injected errors were tested");
        return;
    }
    let (log, _) = place.open(0);
    let (count, error) = fill_up(&log);
    assert!(
        matches!(error, AppendError::Log(LogError::NoSpace { .. })),
        "{error}"
    );
    assert!(count > 100, "{count} batches of 3 KiB in 1 MiB");
    let records = records_from(&log, 0);
    assert_eq!(records.len() as u64, 3 * count);
    log.raise_log_start(Offset(100));
    assert!(log.remove_old_segments().unwrap() > 0);
    fill(&log, &batch(&[(NOW_MS, b"again")]));
    log.close(NOW_MS).unwrap();
    drop(log);
    let unmount = std::process::Command::new("umount")
        .arg("-l")
        .arg(&place.open.directory)
        .status();
    assert!(unmount.unwrap().success());
}
