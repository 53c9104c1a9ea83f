/// Files: the image's, volumes, and what is mounted.
let storageCases = [
    EngineCase("files: bind mounts", proves: ["mounts"]) { s in
        let directory = s.ride.world.home + "/" + s.name
        _ = try await s.host(
            "sh", "-c", "mkdir -p \(directory)/rw \(directory)/ro; echo given >\(directory)/ro/file")
        try await s(
            "run", "--rm", "-v", directory + "/rw:/rw", "-v", directory + "/ro:/ro:ro", s.image, "sh", "-c",
            "cat /ro/file; echo made >/rw/file; touch /ro/other || echo refused"
        ).exits(0).prints("given\nrefused\n")
        let made = try await s.host("cat", directory + "/rw/file")
        try s.require(made.text == "made", "\(made.outcome)")
    },
    EngineCase("files: read-only", proves: ["mounts"]) { s in
        try await s(
            "run", "--rm", "--read-only", "--tmpfs", "/tmp:size=1m", s.image, "sh", "-c",
            "touch /x || echo refused; touch /tmp/x && echo allowed; df -k /tmp | tail -n 1 | tr -s ' ' | cut -d' ' -f2"
        ).exits(0).prints("refused\nallowed\n1024\n")
    },
    EngineCase("files: a volume of two containers", proves: ["mounts"]) { s in
        let volume = "volume-" + s.name
        // From a play that failed.
        _ = try await s.host(s.engine.rawValue, "volume", "rm", "-f", volume)
        try await s("volume", "create", volume).exits(0)
        try await s("run", "--rm", "-v", volume + ":/data", s.image, "sh", "-c", "echo kept >/data/file")
            .exits(0)
        try await s("run", "--rm", "-v", volume + ":/data", s.image, "cat", "/data/file").exits(0).prints(
            "kept\n")
        try await s("volume", "rm", volume).exits(0)
    },
    EngineCase("files: kept over a restart, none in a new container", proves: ["create", "delete"]) { s in
        try await s("run", "--name", s.name, s.image, "sh", "-c", "ls /kept 2>/dev/null; touch /kept").exits(
            0)
        try await s("start", "-a", s.name).exits(0).prints("/kept\n")
        try await s("run", "--rm", s.image, "ls", "/kept").exits(1)
        try await s("rm", s.name, compared: false).exits(0)
    },
    EngineCase("files: devices", proves: ["mounts"]) { s in
        try await s(
            "run", "--rm", "--device", "/dev/fuse:/dev/melt", s.image, "sh", "-c",
            "stat -c '%F %t:%T %a' /dev/melt /dev/null /dev/zero; exec 3<>/dev/melt && echo opened; exec 4<>/dev/mem"
        ).prints(containing: "a:e5").prints(containing: "opened\n")
        try await s("run", "--rm", s.image, "sh", "-c", "mknod /dev/own c 10 229 && exec 3<>/dev/own").exits(
            1)
    },
    EngineCase("files: shared memory", proves: ["mounts"]) { s in
        try await s(
            "run", "--rm", "--shm-size", "2m", s.image, "sh", "-c",
            "df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d' ' -f2"
        ).exits(0).prints("2048\n")
    },
    EngineCase("files: what is mounted", proves: ["mounts"]) { s in
        try await s(
            "run", "--rm", s.image, "sh", "-c",
            "cut -d' ' -f5 /proc/self/mountinfo | sort; ls -1 /dev; ls -1 /proc/self/fd | wc -l"
        ).exits(0).prints(containing: "/proc/sys\n")
    },
    EngineCase("files: copied in and out", proves: ["state"]) { s in
        try await s("run", "-d", "--name", s.name, s.image, "sleep", "1000", compared: false).exits(0)
        try await s("cp", "box/etc/plain", s.name + ":/tmp/copied").exits(0)
        try await s("exec", s.name, "cat", "/tmp/copied").exits(0).prints("not a program\n")
        try await s("diff", s.name).exits(0)
    },
]
