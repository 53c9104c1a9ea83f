/// Networks, which Docker sets up from a hook of the container.
let networkCases = [
    EngineCase("network: bridge", proves: ["hooks", "namespaces"]) { s in
        try await s(
            "run", "--rm", s.image, "sh", "-c",
            "ls /sys/class/net | sort; ip route | cut -d' ' -f1; grep -c . /etc/resolv.conf /etc/hosts >/dev/null"
        ).exits(0).prints(containing: "eth0\n").prints(containing: "default")
    },
    EngineCase("network: none and host", proves: ["namespaces"]) { s in
        try await s("run", "--rm", "--network", "none", s.image, "ls", "/sys/class/net").exits(0).prints(
            "lo\n")
        let inside = try await s(
            "run", "--rm", "--network", "host", s.image, "readlink", "/proc/self/ns/net", compared: false
        ).exits(0)
        let outside = try await s.host("readlink", "/proc/self/ns/net")
        try s.require(inside.text == outside.text, "\(inside.outcome)")
    },
    EngineCase("network: another container's", proves: ["namespaces"]) { s in
        try await s(
            "run", "-d", "--name", s.name, s.image, "httpd", "-f", "-p", "8080", "-h", "/etc", compared: false
        )
        .exits(0)
        let script = "until wget -q -O - http://127.0.0.1:8080/plain; do sleep 0.1; done"
        try await s(
            "run", "--rm", "--network", "container:" + s.name, s.image, "timeout", "20", "sh", "-c", script
        )
        .prints("not a program\n")
        try await s(
            "run", "--rm", "--pid", "container:" + s.name, s.image, "sh", "-c",
            "tr '\\0' ' ' </proc/1/cmdline"
        )
        .exits(0).prints(containing: "httpd")
    },
    EngineCase("network: a published port", proves: ["hooks"]) { s in
        try await s(
            "run", "-d", "--name", s.name, "-p", "127.0.0.1::80", s.image, "httpd", "-f", "-p", "80", "-h",
            "/etc",
            compared: false
        ).exits(0)
        let port =
            try await s("port", s.name, "80", compared: false).exits(0).text.split(separator: ":").last ?? ""
        let script =
            "for i in $(seq 100); do busybox wget -q -O - http://127.0.0.1:\(port)/plain && break; sleep 0.1; done"
        let page = try await s.host("sh", "-c", script)
        try s.require(page.text == "not a program", "\(page.outcome)")
    },
]
