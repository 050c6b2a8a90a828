//! One pipelined TCP connection to a Kafka broker, shared by client and broker.
#![forbid(unsafe_code)]
