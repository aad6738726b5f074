//! Breaks the judge with any bytes, and with pieces of real manifests in any order.

use proptest::prelude::*;

use super::*;

const PIECES: [&str; 16] = [
    "apiVersion: serving.knative.dev/v1\n",
    "kind: Service\n",
    "spec:\n",
    "  template:\n",
    "    spec:\n",
    "      containers:\n",
    "        - args: [vestibule, run, --drain, 9s, --, app]\n",
    "          ports: [{name: h2c}]\n",
    "services: &a\n",
    "  x: *a\n",
    "    command: sh -c 'vestibule run -- x'\n",
    "---\n",
    "- ",
    "FROM x\n",
    "ENTRYPOINT vestibule run\n",
    "      timeoutSeconds: 99999999999999999999\n",
];

proptest! {
    #[test]
    fn no_text_makes_the_doctor_of_manifests_panic(
        noise in ".{0,200}",
        pieces in prop::collection::vec(0..PIECES.len(), 0..24),
        cut in 0..400_usize,
    ) {
        let pieces: String = pieces.into_iter().map(|piece| PIECES[piece]).collect();
        let cut: String = pieces.chars().take(cut).collect();
        let known = Known { websockets: true, ..Known::default() };
        for text in [noise, pieces, cut] {
            let given = Given { name: "m.yaml".into(), text };
            if let Ok(judged) = judge(&[given], &known) {
                assert!(judged.findings.iter().all(|one| one.at.line > 0 && !one.is("VM000")));
            }
        }
    }
}
