//! Listening, and what a connection may cost.

use crate::setting::{Dynamic, Kind, Setting, Unit};

pub(super) const SETTINGS: &[Setting] = &[
    Setting::list("listeners").shipped("PLAINTEXT://:9092").high().doc(
        "Where the broker listens: `NAME://host:port`, separated by commas. No host or `0.0.0.0` \
         listens on every address. Unset means `host.name` and `port`.",
    ),
    Setting::list("advertised.listeners").high().doc(
        "What clients and brokers are told to connect to, where that is another address than \
         `listeners`. Needed behind NAT and in containers: a client that can reach the port but \
         not this address hangs after its first answer.",
    ),
    Setting::list("listener.security.protocol.map")
        .default("PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL")
        .low()
        .doc(
            "Which security protocol each listener name stands for. Only listeners that are \
             PLAINTEXT can be served.",
        ),
    Setting::text("inter.broker.listener.name").doc(
        "The listener over which the other brokers reach this one. Unset means the one whose \
         protocol is `security.inter.broker.protocol`.",
    ),
    Setting::text("security.inter.broker.protocol").default("PLAINTEXT").refused(
        &["PLAINTEXT"],
        "this broker speaks to other brokers unencrypted only; set it to PLAINTEXT",
    ),
    Setting::text("control.plane.listener.name").ignored_because(
        "requests of the controller come over the listener of the brokers",
    ),
    Setting::text("host.name").default("").high().doc(
        "Host to listen on where `listeners` is unset; empty means every address. From the time \
         before listeners had names.",
    ),
    Setting::new("port", Kind::Int(0, 65535)).default("9092").high().doc(
        "Port to listen on where `listeners` is unset. From the time before listeners had names.",
    ),
    Setting::text("advertised.host.name").high().doc(
        "Host told to clients where `advertised.listeners` and `listeners` are unset.",
    ),
    Setting::new("advertised.port", Kind::Int(0, 65535)).high().doc(
        "Port told to clients where `advertised.listeners` and `listeners` are unset.",
    ),
    Setting::int("num.network.threads", 1).default("3").high().doc(
        "Threads that move bytes between sockets and the request handlers. Two or three keep a \
         usual machine busy.",
    ),
    Setting::int("num.io.threads", 1).default("8").high().doc(
        "Threads for work on files that may wait for the disk: cold reads, flushes, new segments.",
    ),
    Setting::ignored("background.threads", "background work is done by the threads of num.io.threads"),
    Setting::ignored(
        "queued.max.requests",
        "requests are begun as they are read, so none waits in a queue; queued.max.request.bytes \
         and a fixed number for each connection limit what is in work",
    ),
    Setting::long("queued.max.request.bytes", -1).unit(Unit::Bytes).default("-1").doc(
        "Bytes of requests that may be in memory at once; above it the broker stops reading from \
         sockets. -1 sets no limit.",
    ),
    Setting::int("socket.send.buffer.bytes", -1).unit(Unit::Bytes).default("102400").doc(
        "SO_SNDBUF of client sockets. -1 leaves it to the system, which adapts it to the line.",
    ),
    Setting::int("socket.receive.buffer.bytes", -1).unit(Unit::Bytes).default("102400").doc(
        "SO_RCVBUF of client sockets. -1 leaves it to the system, which adapts it to the line.",
    ),
    Setting::int("socket.request.max.bytes", 1).unit(Unit::Bytes).default("104857600").high().doc(
        "The largest request. A connection that announces more is closed, so it must hold the \
         largest produce request of any client.",
    ),
    Setting::long("connections.max.idle.ms", 0).unit(Unit::Milliseconds).default("600000").doc(
        "A connection that was silent for so long is closed.",
    ),
    Setting::int("max.connections", 0)
        .default("2147483647")
        .dynamic(Dynamic::ClusterWide)
        .doc("Connections the broker accepts in all; the next one is closed at once."),
    Setting::int("max.connections.per.ip", 0)
        .default("2147483647")
        .dynamic(Dynamic::ClusterWide)
        .doc("Connections accepted from one address; the next one is closed at once."),
    Setting::list("max.connections.per.ip.overrides").default("").dynamic(Dynamic::ClusterWide).doc(
        "Exceptions from `max.connections.per.ip` as `address:count`, separated by commas.",
    ),
    Setting::ignored("max.connection.creation.rate", "the rate of new connections is not limited"),
    Setting::int("request.timeout.ms", 1).unit(Unit::Milliseconds).default("30000").high().doc(
        "How long this broker waits for another one's answer before it counts the request as \
         failed and connects anew.",
    ),
    Setting::long("socket.connection.setup.timeout.ms", 1)
        .unit(Unit::Milliseconds)
        .default("10000")
        .doc("How long this broker waits for a connection to another one to be made."),
    Setting::ignored(
        "socket.connection.setup.timeout.max.ms",
        "the wait for a new connection does not grow",
    ),
    Setting::int("fetch.max.bytes", 1024).unit(Unit::Bytes).default("57671680").doc(
        "The most that one fetch is answered with, whatever the client asks for. One batch larger \
         than this is still delivered.",
    ),
    Setting::int("max.incremental.fetch.session.cache.slots", 0).default("1000").doc(
        "Fetch sessions remembered at once. Consumers of many partitions above it send their \
         whole list with every fetch.",
    ),
];
