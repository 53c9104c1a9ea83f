import Testing

@testable import OCI

@Suite struct ResourceUpdateTests {
    typealias Resources = Spec.Linux.Resources

    private func load(_ text: String) throws -> Resources { try Resources.load(json: Array(text.utf8)) }

    @Test(arguments: [
        (#"{}"#, #"{"memory":{"limit":5}}"#, #"{"memory":{"limit":5}}"#),
        (
            #"{"memory":{"limit":4,"swap":9}}"#, #"{"memory":{"limit":5}}"#,
            #"{"memory":{"limit":5,"swap":9}}"#
        ),
        (
            #"{"memory":{"limit":4,"swap":9}}"#, #"{"memory":{"limit":0,"swap":8}}"#,
            #"{"memory":{"limit":4,"swap":8}}"#
        ),
        (
            #"{"memory":{"limit":4,"swap":9}}"#, #"{"memory":{"limit":-1}}"#,
            #"{"memory":{"limit":-1,"swap":-1}}"#
        ),
        (
            #"{"memory":{"limit":4,"swap":9}}"#, #"{"memory":{"limit":-1,"swap":7}}"#,
            #"{"memory":{"limit":-1,"swap":7}}"#
        ),
        (
            #"{"memory":{"disableOOMKiller":true,"swappiness":9}}"#,
            #"{"memory":{"disableOOMKiller":false,"swappiness":0}}"#,
            #"{"memory":{"swappiness":0,"disableOOMKiller":false}}"#
        ),
        (
            #"{"cpu":{"shares":9,"quota":8,"period":7,"cpus":"0"}}"#,
            #"{"cpu":{"quota":-1,"shares":0,"mems":"1"}}"#,
            #"{"cpu":{"shares":9,"quota":-1,"period":7,"cpus":"0","mems":"1"}}"#
        ),
        (
            #"{"cpu":{"burst":9,"idle":1}}"#, #"{"cpu":{"burst":0,"idle":0}}"#,
            #"{"cpu":{"burst":0,"idle":0}}"#
        ),
        (#"{"pids":{"limit":9}}"#, #"{"pids":{"limit":0}}"#, #"{"pids":{"limit":0}}"#),
        (#"{"pids":{"limit":9}}"#, #"{"pids":{}}"#, #"{"pids":{"limit":9}}"#),
        (
            #"{"blockIO":{"weight":9,"throttleReadBpsDevice":[{"major":1,"minor":2,"rate":3}]}}"#,
            #"{"blockIO":{"weight":0,"throttleReadBpsDevice":[{"major":1,"minor":3,"rate":4},{"major":1,"minor":2,"rate":5}]}}"#,
            #"{"blockIO":{"weight":9,"throttleReadBpsDevice":[{"major":1,"minor":2,"rate":5},{"major":1,"minor":3,"rate":4}]}}"#
        ),
        (
            #"{"blockIO":{"weightDevice":[{"major":1,"minor":2,"weight":3}]}}"#,
            #"{"blockIO":{"weight":7,"weightDevice":[{"major":1,"minor":2,"weight":4}]}}"#,
            #"{"blockIO":{"weight":7,"weightDevice":[{"major":1,"minor":2,"weight":4}]}}"#
        ),
        (
            #"{"blockIO":{"throttleWriteBpsDevice":[{"major":1,"minor":2,"rate":3}]}}"#,
            #"{"blockIO":{"throttleReadIOPSDevice":[{"major":1,"minor":2,"rate":4}],"throttleWriteIOPSDevice":[{"major":1,"minor":2,"rate":5}]}}"#,
            #"{"blockIO":{"throttleWriteBpsDevice":[{"major":1,"minor":2,"rate":3}],"throttleReadIOPSDevice":[{"major":1,"minor":2,"rate":4}],"throttleWriteIOPSDevice":[{"major":1,"minor":2,"rate":5}]}}"#
        ),
        (
            #"{"hugepageLimits":[{"pageSize":"2MB","limit":1}]}"#,
            #"{"hugepageLimits":[{"pageSize":"1GB","limit":2},{"pageSize":"2MB","limit":0}]}"#,
            #"{"hugepageLimits":[{"pageSize":"2MB","limit":0},{"pageSize":"1GB","limit":2}]}"#
        ),
        (
            #"{"network":{"classID":1,"priorities":[{"name":"lo","priority":1}]}}"#,
            #"{"network":{"classID":0,"priorities":[{"name":"lo","priority":0},{"name":"e","priority":2}]}}"#,
            #"{"network":{"classID":1,"priorities":[{"name":"lo","priority":0},{"name":"e","priority":2}]}}"#
        ),
        (
            #"{"rdma":{"a":{"hcaHandles":1,"hcaObjects":2}}}"#,
            #"{"rdma":{"a":{"hcaObjects":3},"b":{"hcaHandles":4}}}"#,
            #"{"rdma":{"a":{"hcaHandles":1,"hcaObjects":3},"b":{"hcaHandles":4}}}"#
        ),
        (
            #"{"unified":{"memory.high":"1","io.max":"8:0 rbps=1"}}"#,
            #"{"unified":{"memory.high":"max","pids.max":"2"}}"#,
            #"{"unified":{"memory.high":"max","io.max":"8:0 rbps=1","pids.max":"2"}}"#
        ),
    ])
    func whatIsNewTakesThePlaceOfTheOld(old: String, new: String, result: String) throws {
        let updated = try load(old).updated(with: try load(new))
        #expect(String(decoding: updated.encodedLimits(), as: UTF8.self) == result)
        // What is written can be read again.
        #expect(try load(result).encodedLimits() == updated.encodedLimits())
    }

    @Test func devicesStay() throws {
        let present = try load(#"{"devices":[{"allow":true,"access":"r"}]}"#)
        #expect(present.updated(with: try load(#"{"pids":{"limit":1}}"#)).devices == present.devices)
    }
}
