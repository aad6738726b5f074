//! A second, naive reading of heads that we have written ourselves.
//!
//! Owns what any head of ours must look like, whoever reads it: httparse, and a reader that only
//! splits at line ends, must agree. Must never share code with the front.

/// Fields of a head, in order.
pub(crate) type Fields = Vec<(String, Vec<u8>)>;

/// Takes a head of ours apart into its first line and its fields.
///
/// Panics where it has a line end that is not CRLF, a NUL, a field that two readers would read
/// differently, or bytes behind its empty line.
pub(crate) fn read(head: &[u8]) -> (String, Fields) {
    let head_shown = head.escape_ascii();
    for (at, &byte) in head.iter().enumerate() {
        match byte {
            0 => assert!(byte != 0, "NUL at {at} in {head_shown}"),
            b'\r' => assert_eq!(head.get(at + 1), Some(&b'\n'), "bare CR in {head_shown}"),
            b'\n' => {
                let before = at.checked_sub(1).map(|before| head[before]);
                assert_eq!(before, Some(b'\r'), "bare LF in {head_shown}");
            }
            _ => {}
        }
    }
    let lines = head.strip_suffix(b"\r\n\r\n").unwrap_or_default();
    let mut lines = lines.split(|&byte| byte == b'\n').map(|line| trim_end(line, b"\r"));
    let first = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    assert!(!first.is_empty(), "no first line in {head_shown}");
    let fields: Fields = lines.map(field).collect();
    assert_eq!(fields, by_httparse(head), "two readings of {head_shown}");
    (first, fields)
}

/// The values of the fields of that name, in any case.
pub(crate) fn values<'f>(fields: &'f Fields, name: &str) -> Vec<&'f [u8]> {
    fields
        .iter()
        .filter(|(other, _)| other.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_slice())
        .collect()
}

/// The elements of all fields of that name, split at commas, without the blanks around them.
pub(crate) fn elements(fields: &Fields, name: &str) -> Vec<String> {
    let values = values(fields, name).join(&b',');
    let text = String::from_utf8_lossy(&values).into_owned();
    text.split(',').map(|element| element.trim_matches([' ', '\t'])).map(str::to_owned).collect()
}

/// Panics where a head of ours carries what ends at us: hop-by-hop fields but one `Connection`
/// and one `Upgrade` of ours, and names that a CGI-like service takes for others.
pub(crate) fn assert_end_to_end(fields: &Fields, connection: &[&[u8]], upgrade: &[&[u8]]) {
    assert_eq!(values(fields, "connection"), connection);
    assert_eq!(values(fields, "upgrade"), upgrade);
    for name in [
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
    ] {
        assert!(values(fields, name).is_empty(), "{name} goes on");
    }
}

fn field(line: &[u8]) -> (String, Vec<u8>) {
    let colon = line.iter().position(|&byte| byte == b':').unwrap_or(0);
    let (name, value) = (&line[..colon], line.get(colon + 1..).unwrap_or_default());
    assert!(!name.is_empty(), "a line without a name: {}", line.escape_ascii());
    let mut value = value;
    while let [b' ' | b'\t', inner @ ..] | [inner @ .., b' ' | b'\t'] = value {
        value = inner;
    }
    (String::from_utf8_lossy(name).into_owned(), value.to_vec())
}

fn by_httparse(head: &[u8]) -> Fields {
    let mut slots = [httparse::EMPTY_HEADER; 256];
    let (end, fields) = if head.starts_with(b"HTTP/") {
        let mut answer = httparse::Response::new(&mut slots);
        (answer.parse(head), answer.headers)
    } else {
        let mut request = httparse::Request::new(&mut slots);
        (request.parse(head), request.headers)
    };
    assert_eq!(end, Ok(httparse::Status::Complete(head.len())), "{}", head.escape_ascii());
    fields.iter().map(|field| (field.name.to_owned(), field.value.to_vec())).collect()
}

fn trim_end<'b>(line: &'b [u8], end: &[u8]) -> &'b [u8] {
    line.strip_suffix(end).unwrap_or(line)
}
