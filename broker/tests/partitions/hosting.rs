//! Taking, keeping and giving up partitions.

use super::*;
use barnabas_broker::log_store::{LoadError, StoreError};
use barnabas_broker::partition::StopOutcome;
use barnabas_replica::{Acknowledgement, DecisionRefusal, StopEpoch, StopRefusal};

async fn stop(host: &Host, index: i32, epoch: StopEpoch, deletes: bool) -> Result<(), StopOutcome> {
    let turn = host
        .registry
        .control_turn(ControllerEpoch(1), BrokerEpoch::NONE, BrokerEpoch(5))
        .await
        .expect("the only controller");
    let results = turn
        .stop(BTreeMap::from([(name(index), (epoch, deletes))]))
        .await;
    results
        .into_values()
        .next()
        .expect("an answer for the one partition")
}

fn directories_of(path: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(path)
        .expect("a directory")
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// S16: a partition is a directory of files, and what was appended is read by offset.
#[tokio::test]
async fn a_partition_is_created_written_and_read() {
    let directory = tempfile::tempdir().unwrap();
    let host = Host::in_directory(directory.path());
    assert!(matches!(host.registry.get("t", 0), Hosted::Nowhere));
    for (index, result) in host.lead(&[0, 1], 0, true).await {
        assert!(result.is_ok(), "t-{index}: {result:?}");
    }
    assert_eq!(directories_of(directory.path()), ["t-0", "t-1"]);
    let partition = host.partition(0);
    append(&partition, &batch(&["a", "b"], None), Acks::All)
        .await
        .unwrap();
    let receipt = append(&partition, &batch(&["c"], None), Acks::All)
        .await
        .unwrap();
    assert_eq!(receipt.first_offset, Offset(2));
    assert_holds(&partition, &["a", "b", "c"]);
    assert_holds(&host.partition(1), &[]);
    host.close();
}

/// S20, S21: what was acknowledged is there after a stop, and after a kill.
#[tokio::test]
async fn records_outlive_the_broker_however_it_ends() {
    let directory = tempfile::tempdir().unwrap();
    let values: Vec<String> = (0..60).map(|i| format!("value {i}")).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    for (round, part) in values.chunks(10).enumerate() {
        let host = Host::in_directory(directory.path());
        let was_closed = round % 2 == 1;
        let scanned_bytes = host.report.recovery.scanned_bytes;
        assert_eq!(
            scanned_bytes == 0,
            was_closed || round == 0,
            "round {round}"
        );
        let leader_epoch = i32::try_from(round).unwrap();
        for result in host
            .lead(&[0], leader_epoch, round == 0)
            .await
            .into_values()
        {
            result.unwrap();
        }
        let partition = host.partition(0);
        assert_holds(&partition, &values[..round * 10]);
        append(&partition, &batch(part, None), Acks::All)
            .await
            .unwrap();
        let epochs: Vec<_> = partition.log().unwrap().leader_epochs();
        assert_eq!(epochs.len(), round + 1);
        if round % 2 == 0 {
            host.close();
        } else {
            host.vanish();
        }
    }
}

/// S18: a deleted partition frees its name at once; its files go when their time comes.
#[tokio::test]
async fn a_deleted_partition_is_gone_and_may_be_created_anew() {
    let directory = tempfile::tempdir().unwrap();
    let host = Host::in_directory(directory.path());
    host.lead(&[0], 7, true).await;
    append(&host.partition(0), &batch(&["old"], None), Acks::All)
        .await
        .unwrap();
    host.registry.store().checkpoint_logs();
    stop(&host, 0, StopEpoch::Always, true).await.unwrap();
    assert!(matches!(host.registry.get("t", 0), Hosted::Nowhere));
    let left = directories_of(directory.path());
    assert!(left.len() == 1 && left[0].ends_with("-delete"), "{left:?}");

    let table = std::fs::read_to_string(directory.path().join("recovery-point-offset-checkpoint"));
    assert_eq!(
        table.unwrap(),
        "0\n0\n",
        "the new partition must not find the old one's offsets"
    );

    // The new topic's epochs begin at 0 again.
    host.lead(&[0], 0, true)
        .await
        .into_values()
        .next()
        .unwrap()
        .unwrap();
    assert_holds(&host.partition(0), &[]);
    append(&host.partition(0), &batch(&["new"], None), Acks::All)
        .await
        .unwrap();
    assert_holds(&host.partition(0), &["new"]);

    host.registry.store().delete_due(0);
    assert_eq!(
        directories_of(directory.path()).len(),
        2,
        "its time has not come"
    );
    host.registry.store().delete_due(i64::MAX);
    assert_eq!(directories_of(directory.path()), ["t-0"]);
    host.close();
}

/// S18: a deletion that a crash interrupted is finished at the next start, and so is that of a log whose
/// topic was deleted while the broker was away.
#[tokio::test]
async fn deletions_are_finished_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let host = Host::in_directory(directory.path());
    host.lead(&[0, 1], 0, true).await;
    stop(&host, 0, StopEpoch::Always, true).await.unwrap();
    host.vanish();
    let host = Host::in_directory(directory.path());
    assert_eq!(host.registry.store().deletions().len(), 1);
    stop(&host, 1, StopEpoch::Always, true).await.unwrap();
    host.registry.store().delete_due(i64::MAX);
    assert_eq!(directories_of(directory.path()), [""; 0]);
    stop(&host, 9, StopEpoch::Always, true).await.unwrap();
    host.close();
}

#[tokio::test]
async fn a_stop_that_is_older_than_the_decision_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let host = Host::in_directory(directory.path());
    host.lead(&[0], 3, true).await;
    let refused = stop(&host, 0, StopEpoch::At(LeaderEpoch(3)), true).await;
    assert!(matches!(
        refused,
        Err(StopOutcome::Refused(StopRefusal::Fenced { .. }))
    ));
    append(&host.partition(0), &batch(&["a"], None), Acks::All)
        .await
        .unwrap();
    let repeated = host
        .lead(&[0], 3, false)
        .await
        .into_values()
        .next()
        .unwrap();
    assert!(matches!(
        repeated,
        Err(PartitionRefusal::Decision(
            DecisionRefusal::StaleLeaderEpoch { .. }
        ))
    ));
    host.close();
}

/// KAFKA-9769: what could not be done for a reason that passes is done when it is told again.
#[tokio::test]
async fn a_decision_without_the_topics_settings_is_heeded_later() {
    let directory = tempfile::tempdir().unwrap();
    let host = Host::in_directory(directory.path());
    let kept = host.facts.0.lock().take();
    let refused = host.lead(&[0], 0, true).await.into_values().next().unwrap();
    assert!(matches!(refused, Err(PartitionRefusal::Facts(_))));
    assert!(matches!(host.registry.get("t", 0), Hosted::Nowhere));
    *host.facts.0.lock() = kept;
    host.lead(&[0], 0, true)
        .await
        .into_values()
        .next()
        .unwrap()
        .unwrap();
    host.close();
}

#[tokio::test]
async fn partitions_are_spread_over_the_log_directories() {
    let parent = tempfile::tempdir().unwrap();
    let directories = [parent.path().join("a"), parent.path().join("b")];
    let host = Host::start(&disk(), &directories, settings());
    host.lead(&[0, 1, 2, 3, 4], 0, true).await;
    let counts = directories
        .each_ref()
        .map(|path| directories_of(path).len());
    assert_eq!(counts, [3, 2]);
    host.close();
}

#[tokio::test]
async fn a_partition_in_two_log_directories_is_an_error_that_names_both() {
    let parent = tempfile::tempdir().unwrap();
    let directories = [parent.path().join("a"), parent.path().join("b")];
    for directory in &directories {
        std::fs::create_dir_all(directory.join("t-0")).unwrap();
    }
    let files: Arc<dyn Files> = Arc::new(DiskFiles);
    let store = LogStore::open(&files, &directories).unwrap();
    let log_settings = TopicRules::new(settings()).log_settings(0.0);
    let loaded = store.load(NonZeroUsize::MIN, &|_topic: &TopicName| {
        log_settings.clone()
    });
    assert!(
        matches!(loaded, Err(LoadError::Duplicate { .. })),
        "{loaded:?}"
    );
}

/// Corrections to the design, C4.5: a replica that is damaged says so and is not led.
#[tokio::test]
async fn a_log_damaged_where_it_was_flushed_is_not_opened() {
    let directory = tempfile::tempdir().unwrap();
    let host = Host::in_directory(directory.path());
    host.lead(&[0], 0, true).await;
    append(&host.partition(0), &batch(&["a", "b"], None), Acks::All)
        .await
        .unwrap();
    host.registry.store().checkpoint_logs();
    host.vanish();
    let log = directory.path().join("t-0/00000000000000000000.log");
    let length = std::fs::metadata(&log).unwrap().len();
    std::fs::write(&log, vec![0xff; usize::try_from(length).unwrap()]).unwrap();
    let host = Host::in_directory(directory.path());
    assert_eq!((host.report.log_count, host.report.damaged_count), (0, 1));
    let refused = host
        .lead(&[0], 1, false)
        .await
        .into_values()
        .next()
        .unwrap();
    assert!(
        matches!(
            refused,
            Err(PartitionRefusal::Store(StoreError::Damaged(_)))
        ),
        "{refused:?}"
    );
    stop(&host, 0, StopEpoch::Always, true).await.ok();
    host.close();
}

/// Corrections to the design, C1.5: a topic that was deleted and created anew while this broker was away
/// does not serve the records of the old one, and the old ones are not deleted.
#[tokio::test]
async fn a_log_of_an_earlier_topic_of_the_name_is_set_aside() {
    let directory = tempfile::tempdir().unwrap();
    for is_closed in [true, false] {
        let host = Host::in_directory(directory.path());
        host.lead(&[0], 3, false).await;
        append(&host.partition(0), &batch(&["a"], None), Acks::All)
            .await
            .unwrap();
        if is_closed {
            host.close();
        } else {
            host.registry.store().checkpoint_logs();
            host.vanish();
        }
    }
    let host = Host::in_directory(directory.path());
    let mut facts = host.facts.0.lock().take().unwrap();
    facts.identity = Some(TopicIdentity(2));
    *host.facts.0.lock() = Some(facts);
    host.lead(&[0], 0, true)
        .await
        .into_values()
        .next()
        .unwrap()
        .unwrap();
    assert_holds(&host.partition(0), &[]);
    append(&host.partition(0), &batch(&["new"], None), Acks::All)
        .await
        .unwrap();
    let left = directories_of(directory.path());
    assert!(left.len() == 2 && left[1].ends_with("-stray"), "{left:?}");
    let stray = directory
        .path()
        .join(&left[1])
        .join("00000000000000000000.log");
    assert!(std::fs::metadata(stray).unwrap().len() > 0);
    host.close();
    let host = Host::in_directory(directory.path());
    assert_eq!(host.report.log_count, 1);
    host.close();
}

/// A topic's own settings hold after a restart as before.
#[tokio::test]
async fn a_log_opened_at_start_takes_the_settings_of_its_topic() {
    let directory = tempfile::tempdir().unwrap();
    let mut own = settings();
    own.flush_messages = 1;
    for round in 0..2 {
        // The settings without overrides, as they are known at start.
        let host = Host::in_directory(directory.path());
        let mut facts = host.facts.0.lock().take().unwrap();
        facts.settings = own.clone();
        *host.facts.0.lock() = Some(facts);
        host.lead(&[0], round, round == 0).await;
        let partition = host.partition(0);
        assert_eq!(partition.log().unwrap().settings().flush_messages, 1);
        let receipt = append(&partition, &batch(&["a"], None), Acks::All)
            .await
            .unwrap();
        let waiting = barnabas_broker::partition::Waiting::register(vec![partition.clone()]);
        while partition.acknowledgement(&receipt.pending) != Acknowledgement::Done {
            waiting.changed().await;
        }
        host.close();
    }
}
