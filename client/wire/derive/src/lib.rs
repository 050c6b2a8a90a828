//! The derive macro behind the Kafka message structs.
#![forbid(unsafe_code)]
