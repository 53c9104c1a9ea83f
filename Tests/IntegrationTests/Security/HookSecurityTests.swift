import Foundation
import Testing

/// "hooks": a program of the image's is run before the container's own, and one of the host's in its namespaces.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct HookSecurityTests {
    @Test("a startContainer hook has what the container's process has, and no more", arguments: [0, 1000])
    func rights(uid: Int) async throws {
        try await TestContainer.with(["/bin/report", "/reports/process"]) { container in
            try container.putReportScript()
            try container.set("process.user", ["uid": uid, "gid": uid])
            try container.set("hooks.startContainer", [container.reporting("startContainer")])
            let outcome = try await container.run()
            try #require(outcome.code == 0, "\(outcome)")
            let hook = try container.report("startContainer")
            let process = try container.report("process")
            #expect(hook.identity == process.identity)
            for section in ["ns", "cgroup", "root", "limits", "score"] {
                #expect(hook[section] == process[section], "\(section)")
            }
        }
    }

    @Test("the path of a createContainer hook is the host's, whatever the image has there")
    func imagePretends() async throws {
        try await TestContainer.with { container in
            try container.putReportScript()
            let hook = container.reporting("createContainer")
            let path = try #require(hook["path"] as? String)
            try container.put("#!/bin/sh\ntouch /tmp/fooled\n", at: path)
            try container.set("hooks.createContainer", [hook])
            let outcome = try await container.run()
            #expect(outcome.code == 0, "\(outcome)")
            #expect(container.hasReport("createContainer"))
            #expect(!FileManager.default.fileExists(atPath: container.rootfs + "/tmp/fooled"))
        }
    }

    @Test("a link in the image leads no startContainer hook to a program of the host's")
    func imageLinksOut() async throws {
        try await TestContainer.with { container in
            try container.putReportScript()
            try container.link("/bin/hook", to: container.directory.path + "/report")
            try container.set("hooks.startContainer", [["path": "/bin/hook"]])
            let outcome = try await container.run()
            #expect(outcome.code == 1 && outcome.isOneSentence, "\(outcome)")
            #expect(outcome.stderr.hasPrefix("gantry: hooks.startContainer[0].path: "), "\(outcome)")
            try await container.expectNothingLeft()
        }
    }

    @Test("what a startContainer hook does to its stdin is nobody else's")
    func stdin() async throws {
        try await TestContainer.with { container in
            try container.putReportScript()
            let script = "echo evil >/proc/self/fd/0; echo evil >>/dev/stdin; chmod 0 /proc/self/fd/0; true"
            try container.set(
                "hooks.startContainer",
                [container.shell("startContainer", script), container.reporting("startContainer")])
            try container.set("hooks.poststart", [container.reporting("poststart")])
            let outcome = try await container.run()
            #expect(outcome.code == 0, "\(outcome)")
            #expect(try container.report("startContainer").state["id"] as? String == container.id)
            #expect(try container.report("poststart").state["id"] as? String == container.id)
        }
    }
}
