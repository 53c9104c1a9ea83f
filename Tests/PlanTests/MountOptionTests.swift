import Diagnostics
import OCI
import Testing

@testable import Plan

/// Mount options. What comes out for each was compared with what Debian's runc 1.1.5 shows in
/// /proc/self/mountinfo.
@Suite struct MountOptionTests {
    private func bind(_ options: [String]) -> [String] {
        mountSteps(.init(destination: "/b", type: "bind", source: "/s", options: options))
    }

    private func ramfs(_ options: [String]) -> String {
        let steps = mountSteps(.init(destination: "/r", type: "ramfs", source: "x", options: options))
        return steps.count > 1 ? steps[1] : steps.joined()
    }

    /// Every row with its effect on a new file system; the mount's attributes first, then fsconfig's options.
    @Test func everyOptionOnAFileSystem() {
        let make = "make a ramfs for /r"
        let source = "source=x"
        let expected: [String: String] = [
            "ro": "ro  \(source),ro", "nosuid": "nosuid  \(source)", "nodev": "nodev  \(source)",
            "noexec": "noexec  \(source)", "noatime": "noatime  \(source)",
            "strictatime": "strictatime  \(source)",
            "nodiratime": "nodiratime  \(source)", "nosymfollow": "nosymfollow  \(source)",
            "sync": "\(source),sync",
            "dirsync": "\(source),dirsync", "lazytime": "\(source),lazytime", "mand": "\(source),mand",
        ]
        // What fsconfig(2) has no word for goes through mount(2).
        let calls: Set = ["silent", "iversion", "acl"]
        let refused: Set = ["remount", "tmpcopyup", "idmap", "ridmap", "bind", "rbind"]
        for row in MountOption.all {
            let name = row.name.description
            if refused.contains(name) { continue }
            let line = ramfs([name])
            if calls.contains(name) {
                #expect(line == "mount ramfs on /r  \(name)  x ", "\(name)")
            } else {
                #expect(line == "\(make)  \(expected[name] ?? source)", "\(name)")
            }
        }
    }

    /// Every row on a bind mount. A remount, which is how runc does it, takes away what is not named, except
    /// access times unless one of theirs is named.
    @Test func everyOptionOnABindMount() {
        let flags = ["ro", "nosuid", "nodev", "noexec", "nosymfollow"]
        func without(_ name: String) -> String { flags.filter { $0 != name }.joined(separator: ",") }
        for name in flags {
            #expect(bind(["bind", name])[2] == "make the mount /b \(name), without \(without(name))")
        }
        let all = flags.joined(separator: ",")
        let times = ["noatime", "strictatime"]
        let order = "ro,nosuid,nodev,noexec,nodiratime,nosymfollow"
        for name in times {
            #expect(bind(["bind", name])[2] == "make the mount /b \(name), without \(order)")
        }
        #expect(bind(["bind", "relatime"])[2] == "make the mount /b relatime, without \(order)")
        #expect(bind(["bind", "nodiratime"])[2] == "make the mount /b nodiratime, relatime, without \(all)")

        let nothing = [
            "clone the mount of /s", "find or make the mount point /b", "mount /s on /b",
        ]
        for name in [
            "rw", "suid", "dev", "exec", "atime", "diratime", "norelatime", "nostrictatime", "symfollow",
            "async", "nolazytime", "nomand", "loud", "noiversion", "noacl", "defaults", "rnorelatime",
        ] {
            #expect(bind(["bind", name]) == nothing, "\(name)")
        }
        for name in ["sync", "dirsync", "lazytime", "mand", "silent", "iversion", "acl"] {
            #expect(
                bind(["bind", name]) == [
                    "mounts[0].options[1]: \"\(name)\" belongs to the file system, which a bind mount does not mount"
                ])
        }
    }

    @Test func propagationIsAppliedInOrder() {
        for name in ["private", "shared", "slave", "unbindable"] {
            #expect(bind(["bind", name]).last == "make the mount /b \(name)")
            #expect(bind(["bind", "r" + name]).last == "make the mount /b r\(name)")
        }
        #expect(
            bind(["rbind", "rshared", "slave"]).suffix(2) == [
                "make the mount /b rshared", "make the mount /b slave",
            ])
    }

    @Test func recursiveOptions() {
        let expected = [
            "rro": "ro", "rrw": "without ro", "rnosuid": "nosuid", "rsuid": "without nosuid",
            "rnodev": "nodev",
            "rdev": "without nodev", "rnoexec": "noexec", "rexec": "without noexec",
            "rnodiratime": "nodiratime",
            "rdiratime": "without nodiratime", "rrelatime": "relatime", "rnoatime": "noatime",
            "ratime": "relatime",
            "rstrictatime": "strictatime", "rnostrictatime": "relatime", "rnosymfollow": "nosymfollow",
            "rsymfollow": "without nosymfollow",
        ]
        for (name, effect) in expected {
            #expect(bind(["rbind", name])[2] == "make the mount /b and all below it \(effect)", "\(name)")
        }
        // mount_setattr(2): whoever sets an access-time mode clears the whole field.
        let settings = try? MountSettings(["rbind", "rnoatime"], index: 0)
        #expect(settings?.recursiveClear == MountAttribute.accessTimeMask)
        #expect(settings?.recursiveSet == MountAttribute.noATime)
        // The last one wins.
        #expect(bind(["rbind", "rro", "rrw"])[2] == "make the mount /b and all below it without ro")
    }

    @Test func laterOptionsWin() {
        #expect(ramfs(["nosuid", "suid"]) == "make a ramfs for /r  source=x")
        #expect(ramfs(["noatime", "strictatime"]) == "make a ramfs for /r  strictatime  source=x")
        #expect(ramfs(["ro", "rw"]) == "make a ramfs for /r  source=x")
    }

    @Test func optionsThatAreRefused() {
        #expect(
            bind(["bind", "remount"]) == [
                "mounts[0].options[1]: \"remount\" is for mounts that exist already"
            ])
        let copyUp = "\"tmpcopyup\" is for mounts of type tmpfs only"
        #expect(bind(["bind", "tmpcopyup"]) == ["mounts[0].options[1]: " + copyUp])
        #expect(ramfs(["tmpcopyup"]) == "mounts[0].options[0]: " + copyUp)
        for name in ["idmap", "ridmap"] {
            #expect(bind(["bind", name]) == ["mounts[0].options[1]: \"\(name)\" is not supported yet"])
        }
        #expect(
            bind(["bind", "size=4k"]) == ["mounts[0].options[1]: \"size=4k\" is no option of a bind mount"])
    }

    @Test func dataIsSplitAtCommas() {
        #expect(
            ramfs(["size=4k,mode=755", "x", "context=\"a:b:s0:c1,c2\",y=1"])
                == "make a ramfs for /r  source=x,size=4k,mode=755,x,context=a:b:s0:c1,c2,y=1")
        #expect(ramfs(["", ",,a,"]) == "make a ramfs for /r  source=x,a")
    }

    /// fsconfig(2) takes 255 bytes, mount(2) a page.
    @Test func longData() {
        func steps(_ value: String) -> [String] {
            mountSteps(
                .init(
                    destination: "/o", type: "overlay", source: "overlay",
                    options: ["lowerdir=" + value, "nodev", "ro", "rprivate", "rnoexec"]))
        }
        let fits = String(repeating: "a", count: 255)
        #expect(steps(fits)[1] == "make a overlay for /o  ro,nodev  source=overlay,ro,lowerdir=\(fits)")
        let long = String(repeating: "a", count: 256)
        #expect(
            steps(long) == [
                "find or make the mount point /o", "mount overlay on /o  ro,nodev  overlay lowerdir=\(long)",
                "open /o in the container", "make the mount /o and all below it noexec",
                "make the mount /o rprivate",
            ])
        #expect(
            steps(String(repeating: "a", count: 4087)) == [
                "mounts[0].options: 4096 bytes of file-system options; the kernel takes 4095"
            ])
    }
}
