use super::*;

fn code(line: &str) -> Option<ErrorCode> {
    parse(line.as_bytes()).1.err().map(|e| e.code)
}

#[test]
fn a_request_is_read_with_its_id_and_defaults() {
    let room = "00112233445566778899aabbccddeeff";
    let (id, request) = parse(format!(r#"{{"id":7,"cmd":"invite","room":"{room}"}}"#).as_bytes());
    assert_eq!(id, Some(Value::from(7)));
    let room = room.parse().expect("an id");
    assert_eq!(
        request,
        Ok(Request::Invite {
            room,
            ttl_s: 600,
            uses: u32::MAX,
            poster: false,
            png: None
        })
    );
}

#[test]
fn bad_lines_are_refused() {
    for line in [
        "",
        "[]",
        "{",
        r#"{"cmd":"fly"}"#,
        r#"{"cmd":"send","room":"x","text":"y"}"#,
        r#"{"cmd":"join"}"#,
        r#"{"cmd":"wipe"}"#,
        r#"{"cmd":"wipe","confirm":true}"#,
        r#"{"cmd":"dm","room":"00112233445566778899aabbccddeeff","to":"you","text":"y"}"#,
        r#"{"cmd":"create_room","name":3}"#,
        "\u{0}",
    ] {
        assert_eq!(code(line), Some(ErrorCode::BadRequest), "{line}");
    }
    let room = "00112233445566778899aabbccddeeff";
    for mentions in ["3", r#"["x"]"#, r#"[3]"#] {
        let line = format!(r#"{{"cmd":"send","room":"{room}","text":"y","mentions":{mentions}}}"#);
        assert_eq!(code(&line), Some(ErrorCode::BadRequest), "{line}");
    }
}

#[test]
fn verify_shows_scans_or_confirms_by_its_fields() {
    let (room, author) = ("00".repeat(16), "11".repeat(32));
    let read = |rest: &str| {
        let line = format!(r#"{{"cmd":"verify","room":"{room}"{rest}}}"#);
        parse(line.as_bytes()).1
    };
    let of = format!(r#","author":"{author}""#);
    assert!(matches!(read(&of), Ok(Request::Verify { png: None, .. })));
    let yes = read(&format!(r#"{of},"confirm":true"#));
    assert!(matches!(yes, Ok(Request::Verified { on: true, .. })));
    let scan = read(r#","code":"PEDDLENET:V/AA""#);
    assert!(matches!(
        scan,
        Ok(Request::VerifyScan {
            author: None,
            code: Scanned::Text(_),
            ..
        })
    ));
    let picture = read(&format!(r#"{of},"scan":"a.png""#));
    assert!(matches!(
        picture,
        Ok(Request::VerifyScan {
            author: Some(_),
            code: Scanned::Picture(_),
            ..
        })
    ));
    for bad in [
        "",
        r#","code":"x","scan":"y""#,
        r#","author":"zz""#,
        r#","author":3"#,
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
    let odd = read(&format!(r#"{of},"confirm":"yes""#));
    assert_eq!(odd.map_err(|e| e.code), Err(ErrorCode::BadRequest));
}
