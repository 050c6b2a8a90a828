//! One partition's replica as a pure state machine: leader and follower roles, ISR, high watermark.
#![forbid(unsafe_code)]
