//! One fault for each rule: where it is put into a file that is clean without it, and where it must be seen.

/// A fault.
pub(crate) struct Fault {
    /// Which rule sees it.
    pub(crate) rule: &'static str,
    /// Into which file of `deploy` it is put.
    pub(crate) file: &'static str,
    /// What stands there, and what in its place.
    pub(crate) changes: &'static [(&'static str, &'static str)],
    /// What ends in the line that is named; the first such text.
    pub(crate) at: &'static str,
}

/// One for each rule.
pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        rule: "VM001",
        file: "cloud-run/service.yaml",
        changes: &[
            ("timeoutSeconds: 3600", "timeoutSeconds: 300"),
            ("value: 3600s", "value: 300s"),
        ],
        at: "timeoutSeconds: 300",
    },
    Fault {
        rule: "VM002",
        file: "cloud-run/service.yaml",
        changes: &[("sessionAffinity: \"true\"", "sessionAffinity: \"false\"")],
        at: "sessionAffinity",
    },
    Fault {
        rule: "VM003",
        file: "cloud-run/service.yaml",
        changes: &[(
            "httpGet:\n              path: /started\n              port: 8080",
            "tcpSocket:\n              port: 8080",
        )],
        at: "tcpSocket",
    },
    Fault {
        rule: "VM004",
        file: "cloud-run/service.yaml",
        changes: &[("failureThreshold: 240", "failureThreshold: 20")],
        at: "startupProbe:\n            httpGet",
    },
    Fault {
        rule: "VM005",
        file: "kubernetes/entrypoint.yaml",
        changes: &[("terminationGracePeriodSeconds: 45", "terminationGracePeriodSeconds: 20")],
        at: "terminationGrace",
    },
    Fault {
        rule: "VM006",
        file: "cloud-run/service.yaml",
        changes: &[("name: http1", "name: h2c")],
        at: "name: h2c",
    },
    Fault {
        rule: "VM007",
        file: "cloud-run/service.yaml",
        changes: &[("ingress: all", "ingress: internal")],
        at: "ingress: internal",
    },
    Fault {
        rule: "VM008",
        file: "kubernetes/entrypoint.yaml",
        changes: &[(
            "  tls:\n    - hosts: [chat.example.org]\n      secretName: golden-path-tls\n",
            "",
        )],
        at: "kind: Ingress\nmetadata:\n  name",
    },
    Fault {
        rule: "VM009",
        file: "cloud-run/service.yaml",
        changes: &[("path: /started", "path: /nothing")],
        at: "path: /nothing",
    },
    Fault {
        rule: "VM010",
        file: "cloud-run/service.yaml",
        changes: &[("https://chat", "http://chat")],
        at: "http://chat",
    },
    Fault {
        rule: "VM011",
        file: "cloud-run/service.yaml",
        changes: &[("containerConcurrency: 250", "containerConcurrency: 1")],
        at: "containerConcurrency",
    },
    Fault {
        rule: "VM012",
        file: "kubernetes/entrypoint.yaml",
        changes: &[("containerPort: 8080", "containerPort: 9090")],
        at: "containerPort",
    },
    Fault {
        rule: "VM013",
        file: "cloud-run/service.yaml",
        changes: &[(
            "name: ORIGINS\n              value: https://chat.example.org",
            "name: PORT\n              value: \"8080\"",
        )],
        at: "name: PORT",
    },
    Fault {
        rule: "VM014",
        file: "kubernetes/entrypoint.yaml",
        changes: &[(
            "command: [vestibule, run, --ready-path, /health, --public-health, /started, --lame-duck, 10s, --drain, 20s, --]\n          args: [golden-path]",
            "command: [sh, -c, \"vestibule run --ready-path /health --public-health /started --lame-duck 10s --drain 20s -- golden-path\"]",
        )],
        at: "command: [sh",
    },
    Fault {
        rule: "VM015",
        file: "cloud-run/service.yaml",
        changes: &[("        run.googleapis.com/startup-cpu-boost: \"true\"\n", "")],
        at: "timeoutSeconds",
    },
    Fault {
        rule: "VM016",
        file: "kubernetes/entrypoint.yaml",
        changes: &[
            (
                "          startupProbe:\n            httpGet: { path: /started, port: http }\n            periodSeconds: 1\n            failureThreshold: 300\n",
                "",
            ),
            (
                "livenessProbe:\n            tcpSocket: { port: http }",
                "livenessProbe:\n            httpGet: { path: /started, port: http }",
            ),
        ],
        at: "livenessProbe:\n            httpGet",
    },
    Fault {
        rule: "VM017",
        file: "kubernetes/entrypoint.yaml",
        changes: &[("--lame-duck, 10s", "--lame-duck, 0s")],
        at: "--lame-duck",
    },
    Fault {
        rule: "VM018",
        file: "kubernetes/entrypoint.yaml",
        changes: &[("    nginx.ingress.kubernetes.io/proxy-read-timeout: \"3600\"\n", "")],
        at: "kind: Ingress\nmetadata:\n  name",
    },
    Fault {
        rule: "VM019",
        file: "kubernetes/entrypoint.yaml",
        changes: &[(
            "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: golden-path\n",
            "---\napiVersion: cloud.google.com/v1\nkind: BackendConfig\nmetadata:\n  name: golden-path\nspec:\n  timeoutSec: 30\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: golden-path\n  annotations:\n    cloud.google.com/backend-config: '{\"default\": \"golden-path\"}'\n",
        )],
        at: "timeoutSec: 30",
    },
    Fault {
        rule: "VM020",
        file: "kubernetes/entrypoint.yaml",
        changes: &[(
            "valueFrom:\n                secretKeyRef: { name: golden-path, key: database }",
            "value: postgres://app:hunter2@db/app",
        )],
        at: "hunter2",
    },
    Fault {
        rule: "VM021",
        file: "kubernetes/entrypoint.yaml",
        changes: &[(
            "--lame-duck, 10s,",
            "--lame-duck, 10s, --admin, \"0.0.0.0:8378\", --admin-allow-remote,",
        )],
        at: "--admin",
    },
    Fault {
        rule: "VM022",
        file: "kubernetes/entrypoint.yaml",
        changes: &[(
            "            runAsNonRoot: true\n            runAsUser: 65532\n",
            "            runAsUser: 0\n",
        )],
        at: "runAsUser",
    },
    Fault {
        rule: "VM023",
        file: "kubernetes/entrypoint.yaml",
        changes: &[("golden-path:TAG", "golden-path:latest")],
        at: "golden-path:latest",
    },
    Fault {
        rule: "VM024",
        file: "kubernetes/entrypoint.yaml",
        changes: &[("--drain, 20s", "--drain, soon")],
        at: "--drain, soon",
    },
    Fault {
        rule: "VM025",
        file: "kubernetes/entrypoint.yaml",
        changes: &[("name: HTTPS_ONLY", "name: VESTIBULE_DRIAN")],
        at: "VESTIBULE_DRIAN",
    },
    Fault {
        rule: "VM026",
        file: "kubernetes/entrypoint.yaml",
        changes: &[("name: HTTPS_ONLY", "name: TESTING")],
        at: "name: TESTING",
    },
    Fault {
        rule: "VM027",
        file: "compose.yaml",
        changes: &[("stop_grace_period: 30s", "stop_signal: SIGQUIT\n    stop_grace_period: 30s")],
        at: "stop_signal",
    },
    Fault {
        rule: "VM028",
        file: "kubernetes/sidecar.yaml",
        changes: &[
            (
                "      initContainers:\n        - name: door\n          image: REGISTRY/vestibule:TAG\n          restartPolicy: Always\n",
                "      containers:\n        - name: door\n          image: REGISTRY/vestibule:TAG\n",
            ),
            ("      containers:\n        - name: golden-path\n", "        - name: golden-path\n"),
        ],
        at: "- name: door",
    },
    Fault {
        rule: "VM029",
        file: "kubernetes/entrypoint.yaml",
        changes: &[("--lame-duck, 10s,", "--config, /etc/vestibule.toml, --lame-duck, 10s,")],
        at: "--config",
    },
    Fault {
        rule: "VM030",
        file: "cloud-run/service.yaml",
        changes: &[(
            "            - name: VESTIBULE_REQUEST_TIMEOUT\n              value: 3600s\n",
            "",
        )],
        at: "command: [vestibule",
    },
];
