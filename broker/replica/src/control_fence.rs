//! Which controllers a broker still listens to.
//!
//! One for the whole broker: `LeaderAndIsr`, `StopReplica` and `UpdateMetadata` all pass through it, and
//! each of them raises it. Source: KIP-380; `KafkaApis` and `ReplicaManager` of Kafka 2.8.

use barnabas_wire::id::{BrokerEpoch, ControllerEpoch};

/// Why a controller's request is not heeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlRefusal {
    /// The request was meant for an earlier registration of this broker.
    #[error("the request is for broker epoch {received}, this broker has {current}")]
    StaleBrokerEpoch {
        /// The epoch of the present registration.
        current: BrokerEpoch,
        /// The epoch in the request.
        received: BrokerEpoch,
    },
    /// A newer controller has been heard.
    #[error("the request is from controller epoch {received}, epoch {current} has been heard")]
    StaleControllerEpoch {
        /// The newest epoch heard.
        current: ControllerEpoch,
        /// The epoch in the request.
        received: ControllerEpoch,
    },
}

/// The newest controller epoch heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ControlFence {
    controller_epoch: ControllerEpoch,
}

impl ControlFence {
    /// No controller heard yet; their epochs begin at 1.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The newest controller epoch heard.
    #[must_use]
    pub fn controller_epoch(&self) -> ControllerEpoch {
        self.controller_epoch
    }

    /// Lets a request pass, and remembers its controller epoch. `received_broker_epoch` is
    /// [`BrokerEpoch::NONE`] where the request carries none.
    ///
    /// A broker epoch above `own_broker_epoch` passes: the controller has seen a registration of
    /// which this broker has not had word yet (KAFKA-9839).
    ///
    /// # Errors
    /// [`ControlRefusal`]; nothing is remembered then.
    pub fn pass(
        &mut self,
        controller_epoch: ControllerEpoch,
        received_broker_epoch: BrokerEpoch,
        own_broker_epoch: BrokerEpoch,
    ) -> Result<(), ControlRefusal> {
        if received_broker_epoch != BrokerEpoch::NONE && received_broker_epoch < own_broker_epoch {
            return Err(ControlRefusal::StaleBrokerEpoch {
                current: own_broker_epoch,
                received: received_broker_epoch,
            });
        }
        if controller_epoch < self.controller_epoch {
            return Err(ControlRefusal::StaleControllerEpoch {
                current: self.controller_epoch,
                received: controller_epoch,
            });
        }
        self.controller_epoch = controller_epoch;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(received: (i32, i64), expected: Result<(), ControlRefusal>) {
        let mut fence = ControlFence::new();
        fence
            .pass(ControllerEpoch(5), BrokerEpoch::NONE, BrokerEpoch(100))
            .unwrap();
        let (controller_epoch, broker_epoch) = received;
        let passed = fence.pass(
            ControllerEpoch(controller_epoch),
            BrokerEpoch(broker_epoch),
            BrokerEpoch(100),
        );
        assert_eq!(passed, expected);
        let raised = if expected.is_ok() {
            controller_epoch
        } else {
            5
        };
        assert_eq!(fence.controller_epoch(), ControllerEpoch(raised));
    }

    #[test]
    fn the_present_and_later_controllers_pass() {
        check((5, 100), Ok(()));
        check((6, -1), Ok(()));
        check((6, 101), Ok(()));
    }

    /// S15: a controller that has been replaced is no longer obeyed.
    #[test]
    fn an_earlier_controller_is_refused() {
        let (current, received) = (ControllerEpoch(5), ControllerEpoch(4));
        check(
            (4, 100),
            Err(ControlRefusal::StaleControllerEpoch { current, received }),
        );
    }

    #[test]
    fn a_request_for_an_earlier_registration_is_refused() {
        let (current, received) = (BrokerEpoch(100), BrokerEpoch(99));
        check(
            (6, 99),
            Err(ControlRefusal::StaleBrokerEpoch { current, received }),
        );
    }
}
