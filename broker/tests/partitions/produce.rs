//! Appending: acknowledgements, duplicates, and many producers at once.

use super::*;
use barnabas_broker::partition::Waiting;
use barnabas_log::error::AppendError;
use barnabas_log::producer_state::ProducerError;
use barnabas_replica::Acknowledgement;

/// S21: what is sent twice is stored once, also after a restart.
#[tokio::test]
async fn a_batch_sent_again_is_answered_with_its_first_offsets() {
    let directory = tempfile::tempdir().unwrap();
    let sent = batch(&["a", "b"], Some((7, 0)));
    for round in 0..4 {
        let host = Host::in_directory(directory.path());
        host.lead(&[0], round, round == 0).await;
        let partition = host.partition(0);
        let receipt = append(&partition, &sent, Acks::All).await.unwrap();
        assert_eq!(receipt.first_offset, Offset(0));
        assert_eq!(receipt.acknowledgement, Acknowledgement::Done);
        assert_holds(&partition, &["a", "b"]);
        let gap = append(&partition, &batch(&["c"], Some((7, 5))), Acks::All).await;
        assert!(matches!(
            gap,
            Err(AppendFailure::Log(AppendError::Producer(
                ProducerError::OutOfOrderSequence { .. }
            )))
        ));
        if round % 2 == 0 {
            host.close();
        } else {
            host.vanish();
        }
    }
}

/// S12, S21: where acknowledgements promise the disk, they wait for it.
#[tokio::test]
async fn an_acknowledgement_waits_for_the_flush() {
    let directory = tempfile::tempdir().unwrap();
    let mut flushing = settings();
    flushing.flush_messages = 1;
    let host = Host::start(&disk(), &[directory.path().to_owned()], flushing);
    host.lead(&[0], 0, true).await;
    let partition = host.partition(0);
    for acks in [Acks::Leader, Acks::All] {
        let receipt = append(&partition, &batch(&["a"], None), acks)
            .await
            .unwrap();
        let waiting = Waiting::register(vec![partition.clone()]);
        while partition.acknowledgement(&receipt.pending) == Acknowledgement::Wait {
            waiting.changed().await;
        }
        assert_eq!(
            partition.acknowledgement(&receipt.pending),
            Acknowledgement::Done
        );
        let offsets = partition.log().unwrap().offsets();
        assert!(
            offsets.recovery_point >= receipt.pending.end_offset,
            "{offsets:?}"
        );
    }
    host.close();
}

/// S1: offsets are unique and increasing, and each producer's records keep their order, whatever waits
/// for room and whatever does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_producers_at_once_lose_and_double_nothing() {
    const PRODUCERS: i64 = 8;
    const BATCHES: i32 = 300;
    let directory = tempfile::tempdir().unwrap();
    let host = Host::in_directory(directory.path());
    host.lead(&[0], 0, true).await;
    let mut tasks = Vec::new();
    for producer in 0..PRODUCERS {
        let partition = host.partition(0);
        tasks.push(tokio::spawn(async move {
            // Large enough that the segment grows step by step and rolls several times.
            let padding = "x".repeat(900);
            for sequence in 0..BATCHES {
                let value = format!("{producer} {sequence} {padding}");
                let sent = batch(&[&value], Some((producer, sequence)));
                append(&partition, &sent, Acks::All).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let partition = host.partition(0);
    let found = consume(&partition).unwrap();
    let offsets: Vec<i64> = found.iter().map(|(offset, _)| *offset).collect();
    assert_eq!(
        offsets,
        (0..PRODUCERS * i64::from(BATCHES)).collect::<Vec<_>>()
    );
    for producer in 0..PRODUCERS {
        let own = format!("{producer} ");
        let of_producer = found.iter().filter(|(_, value)| value.starts_with(&own));
        let sequences: Vec<i32> = of_producer
            .map(|(_, value)| value.split(' ').nth(1).unwrap().parse().unwrap())
            .collect();
        assert_eq!(
            sequences,
            (0..BATCHES).collect::<Vec<_>>(),
            "producer {producer}"
        );
    }
    assert!(partition.log().unwrap().segment_count() > 1);
    host.close();
}

/// A produce that waits is woken when its partition is stopped, and told that it is not led here.
#[tokio::test]
async fn who_waits_is_told_when_the_partition_goes() {
    let directory = tempfile::tempdir().unwrap();
    let host = Host::in_directory(directory.path());
    // Another member of the ISR, which never fetches.
    let decision = Decision {
        controller_epoch: ControllerEpoch(1),
        leader: ME,
        leader_epoch: LeaderEpoch(0),
        isr: vec![ME, BrokerId(2)],
        zk_version: ZkVersion(0),
        replicas: vec![ME, BrokerId(2)],
        is_new: true,
    };
    let turn = host
        .registry
        .control_turn(ControllerEpoch(1), BrokerEpoch::NONE, BrokerEpoch(5))
        .await
        .unwrap();
    turn.lead_or_follow(BTreeMap::from([(name(0), decision)]))
        .await;
    let partition = host.partition(0);
    let receipt = append(&partition, &batch(&["a"], None), Acks::All)
        .await
        .unwrap();
    assert_eq!(receipt.acknowledgement, Acknowledgement::Wait);
    assert_holds(&partition, &[]);
    let waiting = Waiting::register(vec![partition.clone()]);
    let stop = BTreeMap::from([(name(0), (barnabas_replica::StopEpoch::Always, false))]);
    turn.stop(stop).await;
    waiting.changed().await;
    assert_eq!(
        partition.acknowledgement(&receipt.pending),
        Acknowledgement::NotLeader
    );
    drop(turn);
    host.close();
}
