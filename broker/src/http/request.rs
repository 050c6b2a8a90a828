//! The head of one HTTP request, as far as this server cares.

/// What the bytes so far are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// A head that is not whole yet.
    More,
    /// A GET, and whether its sender reads `OpenMetrics`.
    Get(Path, bool),
    /// Another method.
    NotGet,
    /// More than is read of anyone.
    TooLong,
    /// Not HTTP.
    Garbage,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Path {
    /// `/metrics`.
    Metrics,
    /// `/healthz`.
    Health,
    /// `/readyz`.
    Ready,
    /// Anything else.
    Other,
}

/// Reads the head: method, path and the `Accept` header; the rest is skipped.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        // A first line that is no request line is told at once, not after the time is over.
        let first = bytes
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let is_text = first
            .iter()
            .all(|byte| matches!(byte, b'\t' | b'\r' | b' '..=b'~'));
        return if is_text {
            Parsed::More
        } else {
            Parsed::Garbage
        };
    };
    let head = bytes.get(..end).unwrap_or_default();
    let Ok(text) = std::str::from_utf8(head) else {
        return Parsed::Garbage;
    };
    let mut lines = text.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, target, version) = (words.next(), words.next(), words.next());
    let (Some(method), Some(target), Some(version), None) = (method, target, version, words.next())
    else {
        return Parsed::Garbage;
    };
    if !version.starts_with("HTTP/1.") {
        return Parsed::Garbage;
    }
    if method != "GET" {
        return Parsed::NotGet;
    }
    let path = match target.split('?').next().unwrap_or_default() {
        "/metrics" => Path::Metrics,
        "/healthz" => Path::Health,
        "/readyz" => Path::Ready,
        _ => Path::Other,
    };
    Parsed::Get(path, lines.any(is_accepting_open_metrics))
}

fn is_accepting_open_metrics(header: &str) -> bool {
    header.split_once(':').is_some_and(|(name, value)| {
        name.eq_ignore_ascii_case("accept") && value.contains("application/openmetrics-text")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Parsed) {
        assert_eq!(parse(text.as_bytes()), expected, "{text:?}");
    }

    #[test]
    fn a_get_is_understood_and_nothing_else() {
        check(
            "GET /metrics HTTP/1.1\r\n\r\n",
            Parsed::Get(Path::Metrics, false),
        );
        check(
            "GET /readyz?verbose HTTP/1.0\r\nHost: x\r\n\r\n",
            Parsed::Get(Path::Ready, false),
        );
        let accept = "aCCept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5";
        let get = format!("GET /metrics HTTP/1.1\r\nHost: x\r\n{accept}\r\n\r\n");
        check(&get, Parsed::Get(Path::Metrics, true));
        check("GET / HTTP/1.1\r\n\r\n", Parsed::Get(Path::Other, false));
        check("POST /metrics HTTP/1.1\r\n\r\n", Parsed::NotGet);
        check("GET /metrics\r\n\r\n", Parsed::Garbage);
        check("GET /metrics HTTP/2\r\n\r\n", Parsed::Garbage);
        check("\r\n\r\n", Parsed::Garbage);
        check("GET /met", Parsed::More);
        check("", Parsed::More);
        check("\u{16}\u{3}\u{1}", Parsed::Garbage);
    }
}
