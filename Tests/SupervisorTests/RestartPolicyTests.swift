import Store
import Supervisor
import Testing

@Suite struct RestartPolicyTests {
    @Test func withoutAPolicyItEnds() {
        var driver = CoreDriver(.no)
        driver.launch()
        #expect(driver.core.status.phase == .running)
        let actions = driver.exit(3)
        #expect(actions.contains(.finish))
        #expect(actions.contains(.tellEnd))
        #expect(driver.core.status.phase == .stopped)
        #expect(driver.core.status.end?.exitCode == 3)
        #expect(driver.core.status.restartCount == 0)
    }

    @Test(arguments: [
        (SupervisionSettings.RestartPolicy.onFailure(nil), Int32(0), false),
        (.onFailure(nil), 1, true), (.onFailure(nil), 137, true), (.onFailure(1), 1, true),
        (.always, 0, true), (.always, 1, true), (.unlessStopped, 0, true), (.no, 1, false),
    ])
    func runsAgainWhenThePolicySaysSo(
        _ policy: SupervisionSettings.RestartPolicy, _ code: Int32, _ isAgain: Bool
    ) {
        var driver = CoreDriver(policy)
        driver.launch()
        let actions = driver.exit(code)
        #expect(actions.contains(.arm(.backOff, after: 100 * milliseconds)) == isAgain)
        #expect(actions.contains(.finish) == !isAgain)
        #expect(driver.core.status.phase == (isAgain ? .restarting : .stopped))
        guard isAgain else { return }
        #expect(driver.handle(.timer(.backOff), after: 100 * milliseconds).contains(.launch))
        driver.launchOwn()
        #expect(driver.core.status.restartCount == 1)
        #expect(driver.core.status.run == 2)
        #expect(driver.core.status.end == nil)
    }

    @Test func pausesDoubleToAMinute() {
        var driver = CoreDriver(.always)
        driver.launch()
        var pauses: [Int64] = []
        for _ in 0..<14 {
            for case .arm(.backOff, let pause) in driver.exit(1, after: seconds) { pauses.append(pause) }
            driver.handle(.timer(.backOff))
            driver.launchOwn()
        }
        let expected: [Int64] = [
            100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000, 60000, 60000,
        ]
        #expect(pauses == expected.map { $0 * milliseconds })
        #expect(driver.core.status.restartCount == 14)
    }

    @Test func aGoodRunResetsThePause() {
        var driver = CoreDriver(.always)
        driver.launch()
        for _ in 0..<5 {
            driver.exit(1)
            driver.handle(.timer(.backOff))
            driver.launchOwn()
        }
        #expect(driver.exit(1, after: 10 * seconds).contains(.arm(.backOff, after: 100 * milliseconds)))
        // And a run that is a little too short does not.
        driver.handle(.timer(.backOff))
        driver.launchOwn()
        #expect(driver.exit(1, after: 10 * seconds - 1).contains(.arm(.backOff, after: 200 * milliseconds)))
    }

    @Test func aSteppedClockIsNoGoodRun() {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.exit(1)
        driver.handle(.timer(.backOff))
        driver.launchOwn()
        driver.now.real += 3600 * seconds
        #expect(driver.exit(1).contains(.arm(.backOff, after: 200 * milliseconds)))
        driver.handle(.timer(.backOff))
        driver.launchOwn()
        driver.now.real -= 7200 * seconds
        #expect(driver.exit(1, after: 11 * seconds).contains(.arm(.backOff, after: 100 * milliseconds)))
    }

    @Test func failuresInARowAreLimited() {
        var driver = CoreDriver(.onFailure(3))
        driver.launch()
        for _ in 0..<3 {
            #expect(!driver.exit(1).contains(.finish))
            driver.handle(.timer(.backOff))
            driver.launchOwn()
        }
        #expect(driver.exit(1).contains(.finish))
        #expect(driver.core.status.restartCount == 3)
        #expect(driver.core.status.phase == .stopped)
    }

    @Test func aGoodRunBreaksTheRow() {
        var driver = CoreDriver(.onFailure(1))
        driver.launch()
        for _ in 0..<4 {
            #expect(!driver.exit(1, after: 20 * seconds).contains(.finish))
            driver.handle(.timer(.backOff))
            driver.launchOwn()
        }
        #expect(driver.core.status.restartCount == 4)
    }

    @Test func aFailingLaunchCountsAsAnEnd() {
        var driver = CoreDriver(.onFailure(1))
        driver.launch()
        driver.exit(7)
        driver.handle(.timer(.backOff))
        let actions = driver.handle(.launcherEnded(code: 1, message: "no such bundle"))
        #expect(actions.contains(.note("no such bundle")))
        #expect(actions.contains(.finish))
        #expect(driver.core.status.problem == "no such bundle")
        #expect(driver.core.status.end?.exitCode == 1)
        #expect(driver.core.status.restartCount == 0)
        #expect(driver.core.status.run == 1)
    }

    @Test func aFailingLaunchIsTriedAgain() {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.exit(0)
        driver.handle(.timer(.backOff))
        let actions = driver.handle(.launcherEnded(code: 1, message: "busy"))
        #expect(actions.contains(.arm(.backOff, after: 200 * milliseconds)))
        driver.handle(.timer(.backOff))
        driver.launchOwn()
        #expect(driver.core.status.problem == "")
        #expect(driver.core.status.restartCount == 1)
    }

    @Test func aLauncherThatStartedNothingHasFailed() {
        var driver = CoreDriver(.no)
        driver.launch()
        driver.handle(.restart(client: 1, .init(grace: 1000)))
        driver.exit(143)
        let actions = driver.handle(.launcherEnded(code: 0, message: ""))
        #expect(driver.core.status.problem.contains("without having started"))
        #expect(actions.contains(.finish))
        #expect(driver.core.status.end?.exitCode == 1)
    }

    @Test func aLauncherThatFailsAfterTheStart() {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.exit(0)
        driver.handle(.timer(.backOff))
        driver.launch()
        #expect(driver.exit(137).isEmpty == false)
        #expect(driver.core.state == .draining, "the launcher still runs")
        let actions = driver.handle(.launcherEnded(code: 1, message: "poststart: exit 1"))
        #expect(actions.contains(.note("poststart: exit 1")))
        #expect(driver.core.state == .waiting)
    }

    @Test func whatNobodyCanTellIsAFailure() {
        var driver = CoreDriver(.onFailure(nil))
        driver.launch()
        driver.handle(.exited(nil))
        driver.handle(.drained)
        #expect(driver.core.state == .waiting)
    }

    @Test func outOfMemoryIsOfOneRun() {
        var driver = CoreDriver(.always)
        driver.launch()
        let told = driver.handle(.outOfMemory)
        #expect(told == [.note("memory ran out: the kernel killed a process of the container")])
        driver.exit(137)
        #expect(driver.core.status.oomKilled)
        driver.handle(.timer(.backOff))
        driver.launchOwn()
        #expect(!driver.core.status.oomKilled)
    }

    @Test func theExitCommandIsRunOnceAtTheEnd() {
        var driver = CoreDriver(.onFailure(1), exitCommand: "true")
        driver.launch()
        #expect(!driver.exit(1).contains(.runExitCommand))
        driver.handle(.timer(.backOff))
        driver.launchOwn()
        let actions = driver.exit(0)
        #expect(actions.contains(.runExitCommand))
        #expect(actions.contains(.tellEnd))
        #expect(!actions.contains(.finish))
        let last = driver.handle(.exitCommandEnded(problem: "exit command: exit status 1"))
        #expect(last.contains(.note("exit command: exit status 1")))
        #expect(last.last == .finish)
    }
}
