//! The connection to ZooKeeper.

use crate::setting::{Setting, Unit};

const TLS: &str = "connections to ZooKeeper are not encrypted by this broker";

pub(super) const SETTINGS: &[Setting] = &[
    Setting::text("zookeeper.connect").shipped("localhost:2181").high().doc(
        "The ZooKeeper servers as `host:port,host:port`, with an optional path at the end under \
         which everything is kept (`.../kafka`). Brokers with the same servers and path are one \
         cluster.",
    ),
    Setting::int("zookeeper.session.timeout.ms", 1)
        .unit(Unit::Milliseconds)
        .default("18000")
        .high()
        .doc(
            "How long ZooKeeper waits for a silent broker before it counts as dead and its \
             partitions get new leaders. Shorter means faster failover and more false alarms. \
             ZooKeeper may grant another value than asked for.",
        ),
    Setting::int("zookeeper.connection.timeout.ms", 1).unit(Unit::Milliseconds).shipped("18000").high().doc(
        "How long the broker waits for ZooKeeper at start before it gives up. Unset means the \
         session timeout.",
    ),
    Setting::ignored(
        "zookeeper.max.in.flight.requests",
        "up to 512 requests to ZooKeeper are on their way at once, reads of many znodes in one",
    ),
    Setting::boolean("zookeeper.set.acl").default("false").refused(
        &["false"],
        "this broker writes znodes that everyone who reaches ZooKeeper may change; \
         protect ZooKeeper by network rules and set it to false",
    ),
    Setting::boolean("zookeeper.ssl.client.enable").default("false").refused(
        &["false"],
        "this broker would talk to ZooKeeper unencrypted; set it to false to accept that",
    ),
    Setting::ignored("zookeeper.sync.time.ms", "it has no effect in Kafka either"),
    Setting::ignored("zookeeper.clientCnxnSocket", TLS),
    Setting::ignored("zookeeper.ssl.keystore.location", TLS),
    Setting::ignored("zookeeper.ssl.keystore.password", TLS),
    Setting::ignored("zookeeper.ssl.keystore.type", TLS),
    Setting::ignored("zookeeper.ssl.truststore.location", TLS),
    Setting::ignored("zookeeper.ssl.truststore.password", TLS),
    Setting::ignored("zookeeper.ssl.truststore.type", TLS),
    Setting::ignored("zookeeper.ssl.protocol", TLS),
    Setting::ignored("zookeeper.ssl.enabled.protocols", TLS),
    Setting::ignored("zookeeper.ssl.cipher.suites", TLS),
    Setting::ignored("zookeeper.ssl.endpoint.identification.algorithm", TLS),
    Setting::ignored("zookeeper.ssl.crl.enable", TLS),
    Setting::ignored("zookeeper.ssl.ocsp.enable", TLS),
];
