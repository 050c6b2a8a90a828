//! Whatever is told in whatever order, the offsets stay in order and commitments stand.

use barnabas_replica::{Bugs, Decision, LogBounds, Replica, ReplicaSettings};
use barnabas_wire::id::{BrokerId, ControllerEpoch, LeaderEpoch, Offset};
use barnabas_zk_schema::ZkVersion;
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Event {
    Decide { leads: bool, is_alone: bool },
    Append(i64),
    Flush,
    RaiseStart,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (any::<bool>(), any::<bool>())
            .prop_map(|(leads, is_alone)| Event::Decide { leads, is_alone }),
        (1..5_i64).prop_map(Event::Append),
        Just(Event::Flush),
        Just(Event::RaiseStart),
    ]
}

proptest! {
    #[test]
    fn the_high_watermark_never_falls_nor_passes_what_counts(
        events in prop::collection::vec(event(), 1..60),
        is_flushed_on_acknowledgement in any::<bool>(),
    ) {
        let settings = ReplicaSettings {
            min_insync_replicas: 1,
            is_flushed_on_acknowledgement,
            elects_unclean_leader: false,
        };
        let mut replica = Replica::new(BrokerId(1), settings, Bugs::default());
        let (mut epoch, mut start, mut end, mut flushed) = (0, 0_i64, 0_i64, 0_i64);
        let mut high_watermark = Offset(0);
        for event in events {
            match event {
                Event::Decide { leads, is_alone } => {
                    let others = [BrokerId(1), BrokerId(2)];
                    let isr = if is_alone { &others[..1] } else { &others[..] };
                    epoch += 1;
                    let work = replica.decide(Decision {
                        controller_epoch: ControllerEpoch(1),
                        leader: BrokerId(if leads { 1 } else { 2 }),
                        leader_epoch: LeaderEpoch(epoch),
                        isr: isr.to_vec(),
                        zk_version: ZkVersion(epoch),
                        replicas: others.to_vec(),
                        is_new: false,
                    });
                    prop_assert!(work.is_ok());
                    let bounds = LogBounds {
                        log_start: Offset(start),
                        log_end: Offset(end),
                        flushed_end: Offset(flushed),
                        high_watermark: replica.high_watermark(),
                    };
                    let _moved = replica.log_ready(LeaderEpoch(epoch), bounds);
                }
                Event::Append(count) if replica.is_leader() => {
                    end += count;
                    let _moved = replica.appended(Offset(end));
                }
                Event::Flush => {
                    flushed = end;
                    let _moved = replica.flushed(Offset(flushed));
                }
                Event::RaiseStart => {
                    start = replica.high_watermark().0;
                    let _moved = replica.log_start_raised(Offset(start));
                }
                Event::Append(_) => {}
            }
            let now = replica.high_watermark();
            let counted = if is_flushed_on_acknowledgement { flushed.max(start) } else { end };
            prop_assert!(now >= high_watermark, "fell from {high_watermark} to {now}");
            prop_assert!((start..=counted).contains(&now.0), "{now} not in {start}..={counted}");
            high_watermark = now;
        }
    }
}
