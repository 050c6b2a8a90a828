//! Known bugs that can be brought back, to show that the checkers notice them.

/// Which bugs to bring back. All off by default; they can be switched on only where the feature
/// `bugs` is compiled in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bugs {
    /// The leader epoch is stored before the log work is done, so that a decision repeated after a
    /// failure is ignored (KAFKA-9307).
    #[cfg(feature = "bugs")]
    pub stores_epoch_early: bool,
    /// Records count for the high watermark before they are flushed, although acknowledgements
    /// promise that they are.
    #[cfg(feature = "bugs")]
    pub counts_unflushed: bool,
    /// A decision with the leader epoch that is known already is applied again (KAFKA-2721).
    #[cfg(feature = "bugs")]
    pub applies_equal_epoch: bool,
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

switches!(stores_epoch_early, counts_unflushed, applies_equal_epoch);
