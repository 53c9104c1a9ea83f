import Foundation
import Testing

/// What README.md tells people to type. Its blocks of configuration are what the rides use.
enum ReadmeCommands {
    /// Runs the README's command lines for the engine's client, with what stands in capitals filled in.
    static func check(_ engine: Engine, client: String) async throws {
        // Where gantry is not what the engine would take anyway; Docker has to be told of it beforehand.
        let ride = try await Rides.shared.ride(engine, engine == .docker ? .gantry : .control)
        let calls = ride.world.home + "/calls"
        try await ride.world.need("mv", "/usr/local/bin/gantry", "/usr/local/bin/gantry.real")
        let wrapper = "#!/bin/sh\necho \"$@\" >>\(calls)\nexec /usr/local/bin/gantry.real \"$@\"\n"
        try ride.world.write(wrapper, to: "/usr/local/bin/gantry", mode: 0o755)
        if engine == .buildah {
            try await ride.world.need("buildah", "from", "--name", "readme", ride.image)
        }
        let lines = Readme.commands(of: client)
        #expect(!lines.isEmpty)
        for line in lines {
            let values = [
                "IMAGE": [ride.image], "CONTAINER": ["readme"], "ID": ["readme"],
                "COMMAND": ["echo", "it", "runs"],
            ]
            try ride.world.write("", to: calls)
            let outcome = try await ride.world.run(line.flatMap { values[$0] ?? [$0] })
            #expect(outcome.code == 0 && outcome.stdout == "it runs\n", "\(outcome)")
            #expect(try ride.world.text(calls).contains("create "), "gantry was not called by \(line)")
        }
    }
}
