//! Paths of znodes.

use std::fmt;
use std::sync::Arc;

/// An absolute path below the chroot, such as `/brokers/ids/1`; a clone is a reference count.
///
/// Paths come from the [`Znode`](crate::Znode) types and from the server, so they are well formed;
/// a name with a slash in it can reach neither (topic names are validated, other names are numbers
/// or encoded).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZkPath(Arc<str>);

impl ZkPath {
    /// The path as text, with its leading slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of the child `name`.
    #[must_use]
    pub fn child(&self, name: impl fmt::Display) -> Self {
        if self.as_str() == "/" {
            return Self(format!("/{name}").into());
        }
        Self(format!("{self}/{name}").into())
    }

    /// The path one level up; `None` for the root and for children of the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (parent, _) = self.0.rsplit_once('/')?;
        (!parent.is_empty()).then(|| Self(parent.into()))
    }

    /// The last element.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(_, name)| name)
    }

    /// What follows `ancestor` and its slash; `None` if this path is not below it.
    #[must_use]
    pub fn below(&self, ancestor: &Self) -> Option<&str> {
        self.0.strip_prefix(ancestor.as_str())?.strip_prefix('/')
    }

    /// Whether this path is `ancestor` or below it.
    #[must_use]
    pub fn is_at_or_below(&self, ancestor: &Self) -> bool {
        self == ancestor || self.below(ancestor).is_some()
    }
}

impl From<&str> for ZkPath {
    fn from(path: &str) -> Self {
        Self(path.into())
    }
}

impl From<String> for ZkPath {
    fn from(path: String) -> Self {
        Self(path.into())
    }
}

impl fmt::Display for ZkPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ZkPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_knows_its_parent_name_and_ancestors() {
        let path = ZkPath::from("/brokers/topics/t");
        assert_eq!(path.parent(), Some(ZkPath::from("/brokers/topics")));
        assert_eq!(path.name(), "t");
        assert_eq!(path.child(3), ZkPath::from("/brokers/topics/t/3"));
        assert_eq!(ZkPath::from("/brokers").parent(), None);
        assert_eq!(path.below(&ZkPath::from("/brokers")), Some("topics/t"));
        assert_eq!(path.below(&path), None);
        assert!(path.is_at_or_below(&path));
    }

    #[test]
    fn a_common_beginning_is_not_an_ancestor() {
        assert!(!ZkPath::from("/controller_epoch").is_at_or_below(&ZkPath::from("/controller")));
    }
}
