//! Every rule's words.
//!
//! Owns identity, severity, title, reason, fix and source of each; docs/manifests.md shows the same list. Must never
//! look at a manifest. A source that is marked `recalled` was not confirmed when its rule was written.

use crate::manifest::finding::{Rule, Severity, Source};

const fn read(url: &'static str) -> Source {
    Source { url, is_read: true }
}

const fn recalled(url: &'static str) -> Source {
    Source { url, is_read: false }
}

const WEBSOCKETS: Source = read("https://cloud.google.com/run/docs/triggering/websockets");
const CONTRACT: Source = recalled("https://cloud.google.com/run/docs/container-contract");
const CLOUD_RUN_PROBES: Source = read("https://cloud.google.com/run/docs/configuring/healthchecks");
const POD_LIFECYCLE: Source =
    read("https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/");
const PROBES: Source = recalled(
    "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/",
);
const DOCKERFILE: Source = recalled("https://docs.docker.com/reference/dockerfile/");
/// What our own pages say.
const DOOR: Source = read("docs/containers.md");

macro_rules! rules {
    ($($name:ident: $id:literal $severity:ident $title:literal, $reason:literal, $fix:literal, $source:expr;)*) => {
        $(
            #[doc = $title]
            pub(crate) static $name: Rule = Rule {
                id: $id,
                severity: Severity::$severity,
                title: $title,
                reason: $reason,
                fix: $fix,
                source: $source,
            };
        )*
        /// All of them, in the order of their numbers.
        pub(crate) static ALL: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    REQUEST_TIMEOUT: "VM001" Warning "the request timeout ends WebSockets",
        "A WebSocket is one long request: the platform cuts it when the request timeout ends, 300 s unless it says otherwise. 3600 s is the most that Cloud Run allows.",
        "spec:\n  template:\n    spec:\n      timeoutSeconds: 3600", WEBSOCKETS;
    AFFINITY: "VM002" Warning "no session affinity",
        "A client that comes back is sent to any instance, also to one that knows nothing of it.",
        "spec:\n  template:\n    metadata:\n      annotations:\n        run.googleapis.com/sessionAffinity: \"true\"", WEBSOCKETS;
    TCP_STARTUP: "VM003" Warning "the startup probe asks only for a port",
        "The door listens at once, so a TCP probe passes before the service is there: CPU boost ends early, and requests are sent to an instance that holds them.",
        "startupProbe:\n  httpGet:\n    path: /started\n    port: 8080\n  periodSeconds: 1\n  failureThreshold: 240", CLOUD_RUN_PROBES;
    STARTUP_BUDGET: "VM004" Error "the startup probe gives up before the start ends",
        "Delay and period times failures is all the time that a start may take; then the platform restarts the container, for ever.",
        "startupProbe:\n  periodSeconds: 1\n  failureThreshold: 240", CLOUD_RUN_PROBES;
    GRACE: "VM005" Error "the platform kills before the drain ends",
        "SIGKILL ends what has not been told to close: these clients see 1006.",
        "terminationGracePeriodSeconds: 60", POD_LIFECYCLE;
    END_TO_END_H2: "VM006" Error "end-to-end HTTP/2 with WebSockets",
        "With h2c the handshake of a WebSocket does not come as an Upgrade of HTTP/1.1: it fails.",
        "ports:\n  - name: http1\n    containerPort: 8080", WEBSOCKETS;
    INGRESS_CLOSED: "VM007" Warning "ingress lets no user in",
        "Internal ingress answers the internet with 404.",
        "metadata:\n  annotations:\n    run.googleapis.com/ingress: all", recalled("https://cloud.google.com/run/docs/securing/ingress");
    NO_TLS: "VM008" Warning "the ingress has no TLS",
        "Tokens cross the network in the clear, and pages under HTTPS may not open ws://.",
        "spec:\n  tls:\n    - hosts: [chat.example.org]\n      secretName: chat-tls", recalled("https://kubernetes.io/docs/concepts/services-networking/ingress/");
    PROBE_PATH: "VM009" Warning "a probe asks a path that the door does not answer",
        "Only the path of --public-health is the door's own. Until the service is ready, whoever asks another one is held or gets 503, and afterwards the service is asked, and not the door.",
        "args: [\"run\", \"--public-health\", \"/started\", \"--ready-path\", \"/health\", \"--\", \"CMD\"]", DOOR;
    ORIGINS: "VM010" Warning "an origin is allowed without HTTPS",
        "A page that anybody on the way can change may open the service's sockets with its user's cookies.",
        "env:\n  - name: ORIGINS\n    value: https://chat.example.org", recalled("https://www.rfc-editor.org/rfc/rfc6455#section-10.2");
    CONCURRENCY: "VM011" Warning "an instance takes few sockets",
        "Each open socket is a request that counts: once all places are taken, others wait for a new instance.",
        "spec:\n  template:\n    spec:\n      containerConcurrency: 250", WEBSOCKETS;
    PORT_MISMATCH: "VM012" Error "the door listens at another port",
        "Nothing answers at the port where the platform sends requests.",
        "ports:\n  - containerPort: 8080", CONTRACT;
    PORT_SET: "VM013" Error "PORT is the platform's to set",
        "Cloud Run and Knative set PORT to the container's port, and refuse a manifest that sets it.",
        "ports:\n  - containerPort: 8080", CONTRACT;
    SHELL: "VM014" Error "a shell stands before the door",
        "A shell keeps SIGTERM for itself: nothing drains, and SIGKILL ends every socket.",
        "ENTRYPOINT [\"vestibule\", \"run\", \"--\", \"CMD\"]", DOCKERFILE;
    NO_BOOST: "VM015" Note "a start from zero without CPU boost",
        "Clients wait for every second of a cold start; boost gives it more processor.",
        "spec:\n  template:\n    metadata:\n      annotations:\n        run.googleapis.com/startup-cpu-boost: \"true\"", recalled("https://cloud.google.com/run/docs/configuring/services/cpu");
    LIVENESS: "VM016" Error "the liveness probe restarts a start",
        "Without a startup probe liveness counts from the first second: a start longer than its patience is ended, and begins again.",
        "startupProbe:\n  httpGet:\n    path: /started\n    port: 8080\n  periodSeconds: 1\n  failureThreshold: 240", PROBES;
    ENDPOINTS_LAG: "VM017" Warning "newcomers are refused while endpoints lag",
        "Kubernetes sends requests for some seconds more to a pod that was told to end. Lame duck, or a preStop sleep, goes on admitting them.",
        "env:\n  - name: VESTIBULE_LAME_DUCK\n    value: 5s", POD_LIFECYCLE;
    NGINX_TIMEOUT: "VM018" Warning "the ingress cuts idle WebSockets",
        "nginx closes a tunnel that is silent for 60 s unless it is told otherwise.",
        "metadata:\n  annotations:\n    nginx.ingress.kubernetes.io/proxy-read-timeout: \"3600\"\n    nginx.ingress.kubernetes.io/proxy-send-timeout: \"3600\"", recalled("https://kubernetes.github.io/ingress-nginx/user-guide/miscellaneous/#websockets");
    BACKEND_TIMEOUT: "VM019" Warning "the load balancer cuts WebSockets",
        "The backend service's timeout, 30 s unless it says otherwise, is how long a WebSocket may live, idle or not.",
        "spec:\n  timeoutSec: 3600", recalled("https://cloud.google.com/kubernetes-engine/docs/how-to/ingress-configuration#timeout");
    PLAIN_SECRET: "VM020" Warning "a secret stands in the manifest",
        "Whoever reads the manifest, its history or the service's description has it.",
        "env:\n  - name: DATABASE_URL\n    valueFrom:\n      secretKeyRef:\n        name: chat\n        key: database-url", recalled("https://cloud.google.com/run/docs/configuring/services/secrets");
    ADMIN_OPEN: "VM021" Error "other machines reach the admin address without a token",
        "It shows metrics, events and what the door is doing.",
        "env:\n  - name: VESTIBULE_ADMIN\n    value: 127.0.0.1:9901", DOOR;
    ROOT: "VM022" Warning "it runs as root",
        "Neither the door nor a service on a port above 1023 needs it, and whoever breaks in has it.",
        "securityContext:\n  runAsNonRoot: true\n  runAsUser: 65532", recalled("https://kubernetes.io/docs/concepts/security/pod-security-standards/");
    LATEST: "VM023" Note "the image is whatever is newest",
        "Two instances of one release may run different programs, and nobody can go back.",
        "image: REGISTRY/golden-path:1.4.2", recalled("https://kubernetes.io/docs/concepts/containers/images/");
    WRONG_SETTING: "VM024" Error "a setting that the door refuses",
        "It ends with status 78, and nothing starts.",
        "vestibule check-config run FLAGS", DOOR;
    UNKNOWN_SETTING: "VM025" Warning "a variable that changes nothing",
        "It begins as settings do and is none.",
        "vestibule check-config --schema", DOOR;
    CONFLICT: "VM026" Warning "the environment contradicts itself",
        "The platform's patience is kept, and what the variable asks for is not.",
        "env:\n  - name: ENVIRONMENT\n    value: production", DOOR;
    STOP_SIGNAL: "VM027" Warning "something else than SIGTERM ends it",
        "The door drains on SIGTERM.",
        "STOPSIGNAL SIGTERM", DOCKERFILE;
    SIDECAR: "VM028" Warning "the service ends beside its door",
        "All containers get SIGTERM together, so the service closes its sockets before the door has drained. A sidecar (an init container that stays) ends last, but begins first.",
        "command: [\"vestibule\", \"run\", \"--\", \"CMD\"]", POD_LIFECYCLE;
    FILE_UNSEEN: "VM029" Note "the door reads a file that was not shown",
        "What it says there is not judged.",
        "vestibule doctor --config vestibule.toml --manifest FILE", DOOR;
    REQUEST_UNTOLD: "VM030" Warning "the door believes in another request timeout",
        "It holds clients by the request timeout that it was told of, 300 s assumed on Cloud Run.",
        "env:\n  - name: VESTIBULE_REQUEST_TIMEOUT\n    value: 3600s", DOOR;
}
