//! Known bugs that can be brought back, to show that the checkers notice them.

use barnabas_zk_schema::Fence;

/// Which bugs to bring back. All off by default; they can be switched on only where the feature
/// `bugs` is compiled in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bugs {
    /// Writes go out without the check of `/controller_epoch` (KAFKA-6082).
    #[cfg(feature = "bugs")]
    pub unfenced_writes: bool,
    /// The first live replica is elected, whether it is in sync or not.
    #[cfg(feature = "bugs")]
    pub elects_outside_isr: bool,
    /// A decision about the leader does not raise the leader epoch.
    #[cfg(feature = "bugs")]
    pub keeps_leader_epoch: bool,
    /// A deletion forgets the topic's settings.
    #[cfg(feature = "bugs")]
    pub leaves_topic_config: bool,
}

macro_rules! switches {
    ($($name:ident),*) => {
        impl Bugs {
            $(
                #[cfg(feature = "bugs")]
                pub(crate) const fn $name(self) -> bool {
                    self.$name
                }

                #[cfg(not(feature = "bugs"))]
                pub(crate) const fn $name(self) -> bool {
                    false
                }
            )*
        }
    };
}

switches!(elects_outside_isr, keeps_leader_epoch, leaves_topic_config);

impl Bugs {
    /// The fence that a controller writes through.
    #[cfg(feature = "bugs")]
    pub(crate) const fn fence(self, fence: Fence) -> Fence {
        if self.unfenced_writes {
            fence.opened()
        } else {
            fence
        }
    }

    /// The fence that a controller writes through.
    #[cfg(not(feature = "bugs"))]
    pub(crate) const fn fence(self, fence: Fence) -> Fence {
        fence
    }
}
