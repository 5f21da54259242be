//! A line on the standard input of peddlenet-node: a script's, so a friend's, and still any bytes at all.

#[path = "../../../../mesh/node/src/request.rs"]
#[allow(dead_code, reason = "the program acts on what is only read here")]
mod request;

/// One line.
pub fn node_line(data: &[u8]) {
    let (id, request) = request::parse(data);
    match request {
        Ok(_) => {}
        Err(error) => assert!(!error.message.is_empty(), "an error without words"),
    }
    drop(id);
}
