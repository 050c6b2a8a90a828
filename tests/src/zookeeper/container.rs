//! A ZooKeeper server in a container, through testcontainers (feature `docker`).

#[cfg(feature = "docker")]
pub(super) use with_docker::{Container, at_hand};

/// Whether a container can be started: never, in a build without the feature `docker`.
#[cfg(not(feature = "docker"))]
pub(super) fn at_hand() -> bool {
    false
}

#[cfg(feature = "docker")]
mod with_docker {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, ToSocketAddrs};
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use testcontainers::core::{IntoContainerPort, WaitFor};
    use testcontainers::runners::AsyncRunner;
    use testcontainers::{ContainerAsync, GenericImage, ImageExt};
    use tokio::runtime::Runtime;

    use crate::liveness;
    use crate::process::{free_port, remove_container_at_exit};
    use crate::zookeeper::four_letter;

    /// Daemon's socket unless `DOCKER_HOST` names another.
    const SOCKET: &str = "/var/run/docker.sock";

    /// Environment variable that names another image.
    const IMAGE_VARIABLE: &str = "TEST_ZOOKEEPER_IMAGE";

    /// Image used by default.
    const IMAGE: &str = "zookeeper:3.8";

    /// Port of the server inside its container.
    const PORT: u16 = 2181;

    /// Name and tag of the image.
    fn image() -> (String, String) {
        let image = std::env::var(IMAGE_VARIABLE).unwrap_or_else(|_| IMAGE.into());
        let (name, tag) = image.rsplit_once(':').unwrap_or((&image, "latest"));
        (name.into(), tag.into())
    }

    /// Whether the daemon answers and has the image: nothing is pulled behind a test's back.
    pub(in crate::zookeeper) fn at_hand() -> bool {
        let (name, tag) = image();
        inspect(&format!("{name}:{tag}")).is_some_and(|answer| answer.contains(" 200 "))
    }

    /// First line of the daemon's answer about an image, or `None` if there is no daemon.
    fn inspect(image: &str) -> Option<String> {
        let host = std::env::var("DOCKER_HOST").unwrap_or_default();
        let path = host.strip_prefix("unix://").unwrap_or(SOCKET);
        let mut stream = UnixStream::connect(path).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
        let request =
            format!("GET /images/{image}/json HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = vec![0; 256];
        let length = stream.read(&mut answer).ok()?;
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        answer.lines().next().map(|line| format!("{line} "))
    }

    /// A server in a container. Removed when dropped.
    #[derive(Debug)]
    pub(in crate::zookeeper) struct Container {
        /// Both are there until they are dropped.
        parts: Option<(Runtime, ContainerAsync<GenericImage>)>,
        address: SocketAddr,
    }

    /// Waits for `future` on a thread of its own: the caller may be inside a runtime, where one must
    /// not block.
    fn wait<T: Send>(runtime: &Runtime, future: impl Future<Output = T> + Send) -> T {
        let waited = std::thread::scope(|scope| scope.spawn(|| runtime.block_on(future)).join());
        waited.expect("the daemon was asked without a panic")
    }

    impl Container {
        /// Starts the container and waits until the server serves.
        pub(in crate::zookeeper) fn start() -> Self {
            let runtime = Runtime::new().expect("a runtime for the daemon's client");
            let (name, tag) = image();
            // A port of our choice, so that it survives a restart.
            let port = free_port();
            let starting = GenericImage::new(name, tag)
                .with_exposed_port(PORT.tcp())
                .with_wait_for(WaitFor::message_on_either_std("binding to port"))
                .with_mapped_port(port, PORT.tcp())
                .with_env_var("ZOO_TICK_TIME", "200")
                .with_env_var("ZOO_MAX_CLIENT_CNXNS", "0")
                .with_env_var("ZOO_CFG_EXTRA", "maxSessionTimeout=60000")
                .with_env_var("ZOO_4LW_COMMANDS_WHITELIST", "*")
                .start();
            let container = wait(&runtime, starting)
                .unwrap_or_else(|error| panic!("the ZooKeeper container: {error}"));
            let host = wait(&runtime, container.get_host()).expect("the daemon's host");
            let address = (host.to_string(), port).to_socket_addrs().ok();
            let address = address.and_then(|mut all| all.find(SocketAddr::is_ipv4));
            let address = address.unwrap_or_else(|| panic!("{host} has no IPv4 address"));
            let server = Self {
                parts: Some((runtime, container)),
                address,
            };
            server.serves();
            server
        }

        /// The same, for a static: the container goes when the test binary has gone.
        pub(in crate::zookeeper) fn start_for_ever() -> Self {
            let server = Self::start();
            remove_container_at_exit(server.parts().1.id());
            server
        }

        fn parts(&self) -> &(Runtime, ContainerAsync<GenericImage>) {
            self.parts
                .as_ref()
                .expect("a container until it is dropped")
        }

        fn serves(&self) {
            liveness::wait_until("the ZooKeeper container serves", || {
                four_letter::role(self.address).is_some()
            });
        }

        pub(in crate::zookeeper) fn address(&self) -> SocketAddr {
            self.address
        }

        pub(in crate::zookeeper) fn kill(&self) {
            let (runtime, container) = self.parts();
            wait(runtime, container.stop_with_timeout(Some(0))).expect("the container is killed");
        }

        pub(in crate::zookeeper) fn restart(&self) {
            let (runtime, container) = self.parts();
            wait(runtime, container.start()).expect("the container starts again");
            self.serves();
        }

        pub(in crate::zookeeper) fn pause(&self) {
            let (runtime, container) = self.parts();
            wait(runtime, container.pause()).expect("the container is paused");
        }

        pub(in crate::zookeeper) fn resume(&self) {
            let (runtime, container) = self.parts();
            wait(runtime, container.unpause()).expect("the container goes on");
        }
    }

    impl Drop for Container {
        fn drop(&mut self) {
            let Some((runtime, container)) = self.parts.take() else {
                return;
            };
            if let Err(error) = wait(&runtime, container.rm()) {
                eprintln!("the ZooKeeper container stays: {error}");
            }
            runtime.shutdown_background();
        }
    }
}
