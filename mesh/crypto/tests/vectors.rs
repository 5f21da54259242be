//! Known answers: a change of any derived key, signature or sealed byte breaks rooms that exist,
//! so it must be meant. The expected values were computed by another implementation (Python
//! over OpenSSL) from the formulas in the modules' documentation.

use peddlenet_crypto::{
    AuthorKey, BoxKey, Day, DayPass, Draft, EpochKeys, Handshake, Hello, InviteKeys, MeetingTag,
    SafetyNumber, Step, author_print, invite_gate, join_proof, member_gate, open_event, open_proof,
    open_record, pass::issue, room_offer, seal_event, seal_record, verify_event, verify_record,
    welcome_proof,
};
use peddlenet_wire::{
    AuthorId, Capped, EventHash, Fingerprint, Hlc, RoomId, RoomTag, Seq, SignedEvent, SignedRecord,
    Stream, Timestamp, ids::Digest, invite::InviteSecret, pass::CERTIFICATE_LEN,
    record::RecordKind,
};

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

fn key() -> AuthorKey {
    AuthorKey::from_seed([1; 32])
}

fn epoch() -> EpochKeys {
    EpochKeys::from_seeds([2; 32], [3; 32])
}

fn draft(stream: Stream) -> Draft {
    Draft {
        room: RoomTag([4; 16]),
        stream,
        seq: Seq::FIRST,
        previous: EventHash::ZERO,
        clock: Hlc::at(Timestamp(1_800_000_000_000)),
        parents: Capped::default(),
        membership: Digest([7; 32]),
    }
}

#[test]
fn author_key() {
    assert_eq!(
        hex(key().id()),
        "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"
    );
}

#[test]
fn invite_key_and_voucher() {
    let keys = InviteKeys::from_secret(&InviteSecret([9; 16]));
    assert_eq!(
        hex(keys.public()),
        "a5954358a08f4b0777334dc6d9e2329c8293ca8a73d8e26badb18ee20870d688"
    );
    assert_eq!(
        hex(keys.voucher(RoomId([5; 16]), AuthorId([6; 32]))),
        "abf297d3904315be80641f44e4ee0274de851e9fdd35416308cfd1a12505b10daecd2403b2455152e7d68f218b8fe184536a961995ee51ff9a36aacc583d610a"
    );
}

#[test]
fn gates() {
    let invite = invite_gate(&InviteKeys::from_secret(&InviteSecret([9; 16])).public());
    assert_eq!(
        hex(invite.ice_key),
        "5c85735bdab6878cf0c8304af0e0dc8342839ff3cae70cdba977b4253c874b63"
    );
    assert_eq!(
        hex(invite.psk),
        "1504b7da4bf51e0934c88277d4e03ca0b6b7bbed50c5ced6f2cc0e9d57008d57"
    );
    let member = member_gate(&epoch());
    assert_eq!(
        hex(member.ice_key),
        "0f0a80ca77ffd9ff6359e27b1a4ed30f3bede992d3f18286f82205480578d6d5"
    );
    assert_eq!(
        hex(member.psk),
        "7dbe642671b6809b1725af0952f1670fd7b937ac5677e80568ac1be38dc950a6"
    );
}

#[test]
fn epoch_id() {
    assert_eq!(hex(epoch().id()), "10939918674b58bbf7a19e380c334642");
}

#[test]
fn proofs_and_offer() {
    let link = [8; 32];
    assert_eq!(
        hex(open_proof(&key(), &link, RoomTag([4; 16]), true)),
        "44f3c6ed88387963bbcb1e8c651d301f334eebe7b07a16e49eb3b17ddf9e39e55469137da00d67627507b98f3a2f9c8d6e560eb98bf7d9aad0bb4354f477d90f"
    );
    assert_eq!(
        hex(join_proof(&key(), &link, RoomId([5; 16]))),
        "eb871fea7d0cfe29f688899050deb273ddba828241de5fd531580b6efc102ec9f8742ac2ff6a92be6596a10a2c22eb7990fa556207325b22accecca54f89b00a"
    );
    assert_eq!(
        hex(welcome_proof(&key(), &link, RoomId([5; 16]))),
        "8c1d25bd330c187b55e00b6b6b272568acb6c7ac813c0d0c2d97f480683d2c191cfa7ea2cbce15d9cde2acd793ba055a7cc42d6d6f2fbdd9f41ca081601bba0f"
    );
    assert_eq!(
        hex(room_offer(&link, RoomTag([4; 16])).0),
        "a29c2bd0cf68e395a7b58b9f852aa183"
    );
}

#[test]
fn membership_event() {
    let event = seal_event(
        &draft(Stream::MEMBERSHIP),
        &key(),
        &epoch(),
        [8; 24],
        b"hello",
    )
    .unwrap();
    assert_eq!(
        hex(event.to_bytes()),
        "8358c5ac000101010250040404040404040404040404040404040358208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c040005010658200000000000000000000000000000000000000000000000000000000000000000071b01a3185c500000000880095010939918674b58bbf7a19e380c3346420a582007070707070707070707070707070707070707070707070707070707070707070b5820ca4ad2ccae87fded7a9177900bac957f804efc2b65262c5bb55655e23fdfab3458402c9668af33db87597dc23a15956937ece8b5ac49b0c59f26c97ed1987459f5946ae84042fe4cb81c21de4824d3a8508ec0e248cd6c0712b4fc64311e6f6e020358480808080808080808080808080808080808080808080808087bb71a65ee2ffa18750ae1b8b790d98abc6d4dc7d6e632bb00570ba0cd9089a43e256cb9a80158538afaefabfdb0e855"
    );
    assert_eq!(
        hex(event.hash()),
        "00e2c556af557beaa68568d2d46db0b793c283ac86c04760a2e09c987c108336"
    );
}

#[test]
fn content_event() {
    let event = seal_event(&draft(Stream::CONTENT), &key(), &epoch(), [8; 24], b"hello").unwrap();
    assert_eq!(
        hex(event.to_bytes()),
        "8358c5ac000101010250040404040404040404040404040404040358208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c040105010658200000000000000000000000000000000000000000000000000000000000000000071b01a3185c500000000880095010939918674b58bbf7a19e380c3346420a582007070707070707070707070707070707070707070707070707070707070707070b582065a9d15c1de74a6ea2a4af4127e709bfee8596af94955ef7761fcb5ad5963b935840e03c94facb5b0cbf2b95dc1c1a4df74299e311ef82ff9c498bdca72d969768635943c898a0f758ee9df5a30def5f6f6a8c0f48b3be64c85e46ced8e435cca6095848080808080808080808080808080808080808080808080808efe82069501bfb92031575b1923226c4f369d74e21292e680b72ce2db40ed83a0af3dd7800944e805f61f34093c41015"
    );
    assert_eq!(
        hex(event.hash()),
        "2378a71356de7bb30210c0d28c3de1832a2a1dca1d57aeeef5846877f8c4c8e5"
    );
    let read = SignedEvent::from_bytes(&event.to_bytes()).unwrap();
    assert_eq!(verify_event(&read), Ok(()));
    assert_eq!(open_event(&read, &epoch()).as_deref(), Ok(&b"hello"[..]));
}

#[test]
fn presence_record() {
    let clock = Hlc::at(Timestamp(1_800_000_000_000));
    let room = RoomTag([4; 16]);
    let record = seal_record(
        RecordKind::PRESENCE,
        room,
        clock,
        &key(),
        &epoch(),
        [8; 24],
        b"",
    )
    .unwrap();
    assert_eq!(
        hex(record.to_bytes()),
        "835879a7000101020250040404040404040404040404040404040358208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c041b01a3185c50000000055010939918674b58bbf7a19e380c334642065820256a69658534d9e987928abe4574186b13f4ed397d056db97a2901eb8c09837f5840cb65fed18f1bd5e27bf3e5fc797b2fc632a72d6fdc6096134dacd46c84e5e322d2663b2fdded80c4b47f286c39da226aec1f46d470b5f6601bf65584c0e46c0458480808080808080808080808080808080808080808080808085a0a691b2e4443e4b85cdfd7a294a6df4fbb7c945dfaafc8e6233f6c8a444d7a12069d4d1e16504acaf73449b67c36aa"
    );
    assert_eq!(
        hex(record.hash()),
        "84db163e407ee40ec4f92c138a639a83b2fbe0beec6a8ab3492936ea3c710164"
    );
    let read = SignedRecord::from_bytes(&record.to_bytes()).unwrap();
    assert_eq!(verify_record(&read), Ok(()));
    assert_eq!(open_record(&read, &epoch()), Ok(Vec::new()));
}

#[test]
fn handshake() {
    let hello = || Hello {
        versions: 1..=1,
        features: 0,
    };
    let (d, l) = (Fingerprint([10; 32]), Fingerprint([11; 32]));
    let mut dialer = Handshake::dialer(&[12; 32], d, l, hello(), [13; 32]).unwrap();
    let mut listener = Handshake::listener(&[12; 32], d, l, hello(), [14; 32]).unwrap();
    let Ok(Step::Send(first)) = dialer.step(None) else {
        panic!("the dialer speaks first");
    };
    assert_eq!(
        hex(&first),
        "64cdfa7d32d29d4d3b436696ed79171e738b3b17aa9373765e820e5ec46342097b3e37a2b6ff50f5977d07240785f95409a48fffeef42b"
    );
    let Ok(Step::Send(second)) = listener.step(Some(&first)) else {
        panic!("the listener answers");
    };
    assert_eq!(
        hex(&second),
        "a22ed4bba3903749bbee4d2cdccec410883e6fe2c4d6e32a8c3302a3bdfbca469ad873711798ffc63b8eb5e043f5c7ac8ccc055ea377eb91aa21aa843056ae6c7014ceebf5606c66e296321e433acdde14ab219873b15229ed2281e9d770b38cf1bfacdbf32478"
    );
    let Ok(Step::SendAndDone(third, established)) = dialer.step(Some(&second)) else {
        panic!("the dialer confirms");
    };
    assert_eq!(
        hex(&third),
        "d203268bea390fd70b9607679ac87736f77800664f702aaa57a13ff2cb01196ec3b055715fadae914e2f0a95b3528e353833f5f53aa4756e0e6a2a5ef959e892"
    );
    assert_eq!(
        hex(established.hash),
        "fabbfaed4409a715f1fa0ae9881249db5076d5627b9d77cf3df26fbc826d975f"
    );
}

#[test]
fn safety_number_and_print() {
    let (room, ada, bea) = (RoomId([5; 16]), AuthorId([6; 32]), AuthorId([7; 32]));
    assert_eq!(
        SafetyNumber::of(room, ada, bea).digits(),
        "377766172874198408581071593882606785430302798985946806965546"
    );
    assert_eq!(
        hex(author_print(room, ada)),
        "2bb316e938f8c1de874012159172eb0648052944e7eb2e9ba8be7958e0450771"
    );
}

#[test]
fn carry_pass() {
    let key = BoxKey::from_seed(&[1; 32]);
    let pass = issue(&key, Day::of(20_783), 2, 64 * 1024, [2; 32]);
    assert_eq!(
        hex(pass.to_bytes()),
        "018a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c0000512f000100000202020202020202020202020202020202020202020202020202020202020202932430c3a1f59b9e7c4a60326158b635bf895754f5559bb95372ed3f4af251f68eb43945499c6ffa8f5ae795210c329476ebddbd4bcbf4c4af2f4966639bc00767fab0fb410b7a5ebbc0320cb04435f3984bbf8bde514e9d2a2b9a59f2f16f9eff96eafc3a8749e34b70a1df1900d47df274f3175422705782b7f2fc3fdf040d"
    );
    let day = DayPass::of(&pass, Day::of(20_784)).unwrap();
    let shown = day.show(&MeetingTag([5; 16]), b"sealed");
    let (certificate, signature) = shown.split_at(CERTIFICATE_LEN);
    assert_eq!(
        hex(certificate),
        "00005130bcdcaed9943627f017dab48d5b39a2b48afcebfc6fe1c5e8d29e3e8be55c19cd0001000067fab0fb410b7a5ebbc0320cb04435f3984bbf8bde514e9d2a2b9a59f2f16f9eff96eafc3a8749e34b70a1df1900d47df274f3175422705782b7f2fc3fdf040d"
    );
    assert_eq!(
        hex(signature),
        "8bfea8cd082c43df6ecabdf028f5e9f247099db059e785e8d93eaa9ccb3944b5fce8ca125dad4f9804a6bbc8a4cd4fe32816844fe6519641a5ee366b0b65320f"
    );
    assert_eq!(
        hex(key.prove(&[7; 16])),
        "d38a7dfcdcc359a276c3772515f8144dfd676a49ae01e3ade12eebe8c73b1fbb6dfb265cfa069ec12e77fff27b772971495aeb289a0b8724afdc41877f5d6f0d"
    );
}
