//! Settings that Kafka does not have.

use crate::setting::{Kind, Setting};

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new("assignment.policy", Kind::Choice(&["modulo", "rotated", "kafka", "rack"])).default("modulo").doc(
        "How the controller places the partitions of a new topic. `modulo`: with n live brokers \
         in order of their ids, partition i leads on broker i mod n and replica j sits on \
         broker (i + j) mod n; every topic of one partition then leads on the first broker. \
         `rotated`: the same ring, begun for each topic at the broker that leads the fewest \
         partitions. `kafka`: Kafka's, with a random beginning and followers shifted on each \
         round, so that the load of a dead broker spreads. `rack`: Kafka's with no two replicas \
         of a partition in one rack, as long as there are racks.",
    ),
    Setting::text("connection.source.address").doc(
        "Local address from which this broker connects to other brokers and to ZooKeeper. Unset \
         leaves it to the routing table.",
    ),
    Setting::list("metrics.listeners").shipped("127.0.0.1:9404").doc(
        "Where the small web server listens, as `host:port`: `/metrics` for Prometheus, `/healthz` and \
         `/readyz`. It has no password, so give it an address that only the watchers reach. \
         Unset or empty means none.",
    ),
    Setting::new("logging.level", Kind::Choice(&["error", "warn", "info", "debug", "trace"]))
        .default("info")
        .doc(
            "The least important lines that are logged. The variable RUST_LOG or the option \
             --log-level, which can also tell parts of the broker apart, wins over it.",
        ),
];
