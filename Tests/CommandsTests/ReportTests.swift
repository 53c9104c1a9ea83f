import Foundation
import Testing

@testable import Commands
@testable import Runtime

/// The expected texts are runc's for the same containers, taken from its output on Debian 12; only the versions
/// and line ends differ.
@Suite struct ReportTests {
    private let owners = OwnerNames(passwd: Array("root:x:0:0:root:/root:/bin/bash\n".utf8))

    private func report(
        id: String = "c1", pid: Int32 = 6553, status: Status = .created,
        annotations: [(key: String, value: String)] = []
    ) -> ContainerReport {
        ContainerReport(
            id: id, pid: pid, status: status, bundle: "/tmp/demo/b", rootfs: "/tmp/demo/b/rootfs",
            created: 1_795_259_689_204_786_434, ownerUID: 0, annotations: annotations)
    }

    @Test func state() {
        #expect(
            ReportCommands.stateText(report()) == """
                {
                  "ociVersion": "1.3.0",
                  "id": "c1",
                  "pid": 6553,
                  "status": "created",
                  "bundle": "/tmp/demo/b",
                  "rootfs": "/tmp/demo/b/rootfs",
                  "created": "2026-11-21T11:14:49.204786434Z",
                  "owner": ""
                }

                """)
    }

    @Test func stateWithAnnotations() throws {
        let text = ReportCommands.stateText(report(annotations: [("a", "<x>\n\"é"), ("b", "")]))
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        #expect(object?["annotations"] as? [String: String] == ["a": "<x>\n\"é", "b": ""])
        let order = ["\"created\"", "\"annotations\"", "\"owner\""].map { text.range(of: $0)!.lowerBound }
        #expect(order == order.sorted())
    }

    @Test func listAsATable() {
        let reports = [report(), report(id: "a-name-that-is-longer-than-twelve", pid: 0, status: .stopped)]
        #expect(
            ReportCommands.listTable(Array(reports.prefix(1)), owners: owners) == """
                ID          PID         STATUS      BUNDLE        CREATED                          OWNER
                c1          6553        created     /tmp/demo/b   2026-11-21T11:14:49.204786434Z   root

                """)
        let columns = ReportCommands.listTable(reports, owners: owners).split(separator: "\n").map {
            $0.split(separator: " ").count
        }
        #expect(columns == [6, 6, 6])
    }

    @Test func anEmptyTableHasItsHead() {
        #expect(
            ReportCommands.listTable([], owners: owners)
                == "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n")
    }

    @Test func listAsJSON() {
        #expect(ReportCommands.listJSON([], owners: owners) == "[]\n")
        #expect(
            ReportCommands.listJSON([report()], owners: owners) == """
                [{"ociVersion":"1.3.0","id":"c1","pid":6553,"status":"created","bundle":"/tmp/demo/b",\
                "rootfs":"/tmp/demo/b/rootfs","created":"2026-11-21T11:14:49.204786434Z","owner":"root"}]

                """)
    }
}

@Suite struct ProcessTableTests {
    private static let table = """
        UID        PID  PPID CMD
        root       101     1 sh
        root      1010   101 sleep 101

        """

    @Test func rowsAreChosenByTheirPID() throws {
        #expect(
            try ProcessCommands.rows(of: Self.table, only: [101]) == """
                UID        PID  PPID CMD
                root       101     1 sh

                """)
        #expect(try ProcessCommands.rows(of: Self.table, only: []) == "UID        PID  PPID CMD\n")
        #expect(try ProcessCommands.rows(of: Self.table, only: [1010, 101]) == Self.table)
    }

    @Test(arguments: ["", "\n", "UID PPID\n1 2\n", "CMD PID\nhas spaces 3\n", "PID\n-\n", "A PID\nx\n"])
    func tablesWithoutPIDs(table: String) {
        #expect(throws: (any Error).self) { try ProcessCommands.rows(of: table, only: [1]) }
    }
}
