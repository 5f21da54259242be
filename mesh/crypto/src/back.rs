//! The proof in a joiner's answer to a code: HMAC-SHA256, cut to 16 bytes, keyed by what the code and the
//! room alone know. It says "a holder of the code wrote this"; who that is, the link handshake tells.

use hmac::{Hmac, Mac};
use peddlenet_wire::{InviteKey, back::BackCode};
use sha2::Sha256;

use crate::derive::{derive, first_of, mac};

/// Proves an answer; what its proof was before does not matter.
pub fn prove_back(code: &mut BackCode, invite: &InviteKey) {
    code.proof = first_of(proof(code, invite));
}

/// Whether a holder of that code wrote the answer.
pub fn is_proven_back(code: &BackCode, invite: &InviteKey) -> bool {
    proof(code, invite)
        .verify_truncated_left(&code.proof)
        .is_ok()
}

fn proof(code: &BackCode, invite: &InviteKey) -> Hmac<Sha256> {
    let key = derive(&invite.0, &[b"pn/back/1"]);
    mac(&key, &[&code.proven()])
}

#[cfg(test)]
mod tests {
    use peddlenet_wire::back::PROOF_LEN;

    use super::*;

    #[test]
    fn only_a_holder_of_the_code_can_answer_it_and_nobody_can_change_the_answer() {
        let invite = InviteKey([3; 32]);
        let mut code = BackCode {
            expires: 1_800_000_000,
            port: 40_000,
            addresses: vec![[10, 0, 0, 7].into()],
            proof: [0; PROOF_LEN],
        };
        assert!(!is_proven_back(&code, &invite));
        prove_back(&mut code, &invite);
        assert!(is_proven_back(&code, &invite));
        assert!(!is_proven_back(&code, &InviteKey([4; 32])));
        let mut other = code.clone();
        other.addresses = vec![[10, 0, 0, 8].into()];
        assert!(!is_proven_back(&other, &invite));
        for bit in 0..PROOF_LEN * 8 {
            let mut bad = code.clone();
            bad.proof[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_proven_back(&bad, &invite), "bit {bit}");
        }
    }
}
