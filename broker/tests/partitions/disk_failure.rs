//! A disk that fills up, and one that fails.

use super::*;
use barnabas_broker::log_store::StoreError;
use barnabas_log::error::{AppendError, LogError};
use barnabas_log::files::{FailingFiles, Fault, Operation};
use barnabas_replica::AppendRefusal;

/// `errno` numbers of the kernel.
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

fn big_batch() -> Bytes {
    batch(&[&"x".repeat(100_000)], None)
}

/// A full disk is an error to the producer, and the log goes on when there is space again.
#[tokio::test]
async fn a_full_disk_passes() {
    let directory = tempfile::tempdir().unwrap();
    let files = FailingFiles::new(Arc::new(DiskFiles));
    let host = Host::start(
        &(Arc::new(files.clone()) as Arc<dyn Files>),
        &[directory.path().to_owned()],
        settings(),
    );
    host.lead(&[0], 0, true).await;
    let partition = host.partition(0);
    append(&partition, &batch(&["a"], None), Acks::All)
        .await
        .unwrap();
    let operation = Some(Operation::Allocate);
    files.fail(Fault {
        operation,
        after: 0,
        times: u64::MAX,
        errno: ENOSPC,
    });
    let mut stored = 1;
    let failure = loop {
        match append(&partition, &big_batch(), Acks::All).await {
            Ok(_) => stored += 1,
            Err(failure) => break failure,
        }
        assert!(stored < 100, "the disk is full");
    };
    assert!(
        matches!(
            failure,
            AppendFailure::Log(AppendError::Log(LogError::NoSpace { .. }))
        ),
        "{failure}"
    );
    assert!(partition.replica().is_leader());
    files.heal();
    append(&partition, &big_batch(), Acks::All).await.unwrap();
    append(&partition, &batch(&["z"], None), Acks::All)
        .await
        .unwrap();
    let found = consume(&partition).unwrap();
    assert_eq!(found.len(), stored + 2);
    assert_eq!(found.last().map(|(_, value)| value.as_str()), Some("z"));
    host.close();
}

/// An error of one log directory takes that one offline; the broker and its other directories go on.
#[tokio::test]
async fn a_failed_directory_goes_offline_alone() {
    let parent = tempfile::tempdir().unwrap();
    let directories = [parent.path().join("a"), parent.path().join("b")];
    let files = FailingFiles::new(Arc::new(DiskFiles));
    let host = Host::start(
        &(Arc::new(files.clone()) as Arc<dyn Files>),
        &directories,
        settings(),
    );
    host.lead(&[0, 1], 0, true).await;
    for index in [0, 1] {
        append(&host.partition(index), &batch(&["a"], None), Acks::All)
            .await
            .unwrap();
    }
    let log = host.partition(0).log().unwrap();
    files.fail(Fault {
        operation: Some(Operation::SyncData),
        after: 0,
        times: 1,
        errno: EIO,
    });
    assert!(matches!(log.flush(3_000), Err(LogError::Offline(_))));
    files.heal();
    host.registry.notice_failed_directories();

    let refused = append(&host.partition(0), &batch(&["b"], None), Acks::All).await;
    assert!(matches!(
        refused,
        Err(AppendFailure::Refused(AppendRefusal::Offline))
    ));
    assert!(consume(&host.partition(0)).is_err());
    append(&host.partition(1), &batch(&["b"], None), Acks::All)
        .await
        .unwrap();
    assert_holds(&host.partition(1), &["a", "b"]);
    assert_eq!(host.registry.store().offline_directories().len(), 1);

    // The log of a partition that is not new may lie in the failed directory.
    let old = host
        .lead(&[2], 1, false)
        .await
        .into_values()
        .next()
        .unwrap();
    assert!(
        matches!(
            old,
            Err(PartitionRefusal::Store(StoreError::Offline { .. }))
        ),
        "{old:?}"
    );
    host.lead(&[3], 0, true)
        .await
        .into_values()
        .next()
        .unwrap()
        .unwrap();
    append(&host.partition(3), &batch(&["c"], None), Acks::All)
        .await
        .unwrap();
    let again = host
        .lead(&[0], 1, false)
        .await
        .into_values()
        .next()
        .unwrap();
    assert!(again.is_err());

    assert!(!host.registry.store().has_no_working_directory());
    host.close();
    let is_clean = directories
        .each_ref()
        .map(|path| path.join(".kafka_cleanshutdown").exists());
    assert_eq!(is_clean.iter().filter(|is_clean| **is_clean).count(), 1);
}

/// A broker whose last log directory has failed has nothing left to serve, and is told so.
#[tokio::test]
async fn the_failure_of_the_last_directory_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let files = FailingFiles::new(Arc::new(DiskFiles));
    let failing: Arc<dyn Files> = Arc::new(files.clone());
    let host = Host::start(&failing, &[directory.path().to_owned()], settings());
    host.lead(&[0], 0, true).await;
    append(&host.partition(0), &batch(&["a"], None), Acks::All)
        .await
        .unwrap();
    let operation = Some(Operation::SyncData);
    files.fail(Fault {
        operation,
        after: 0,
        times: 1,
        errno: EIO,
    });
    assert!(host.partition(0).log().unwrap().flush(3_000).is_err());
    host.registry.notice_failed_directories();
    host.registry.until_no_directory_works().await;
    host.close();
    assert!(!directory.path().join(".kafka_cleanshutdown").exists());
}
