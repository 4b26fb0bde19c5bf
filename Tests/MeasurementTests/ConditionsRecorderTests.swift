import Foundation
import Record
import Synchronization
import TestSupport
import Testing

@testable import Measurement

/// A system whose files a test writes.
private final class FakeSystem: Sendable {
  private let files = Mutex<[String: String]>([:])

  subscript(path: String) -> String? {
    get { files.withLock { $0[path] } }
    set { files.withLock { $0[path] = newValue } }
  }

  /// The first level of what lies in a folder.
  private func names(_ folder: String) -> [String] {
    let prefix = folder + "/"
    return files.withLock { files in
      Set(
        files.keys.filter { $0.hasPrefix(prefix) }.compactMap {
          $0.dropFirst(prefix.count).split(separator: "/").first
        }
      )
      .map(String.init)
    }
  }

  var view: SystemFiles { SystemFiles(text: { self[$0] }, names: { self.names($0) }) }

  /// Ticks since the start: of all, idle and stolen, and those of this process and of a worker.
  func set(busy: Int, idle: Int, stolen: Int, own: Int, worker: Int, other: Int = 0) {
    self["/proc/stat"] = "cpu  \(busy) 0 0 \(idle) 0 0 0 \(stolen) 0 0\ncpu0 1\ncpu1 1"
    for (pid, parent, ticks) in [(10, 1, own), (11, 10, worker), (12, 1, other)] {
      self["/proc/\(pid)/stat"] = "\(pid) (x) S \(parent) 1 1 0 -1 0 0 0 0 0 \(ticks) 0 0 0 20"
    }
  }
}

struct ConditionsRecorderTests {
  private let system = FakeSystem()
  private let clock = FakeClock()

  /// Every trial of the loop takes a millisecond.
  private func recorder(latency: CoreToCoreLatency = CoreToCoreLatency { [] }) -> ConditionsRecorder {
    let clock = clock
    return ConditionsRecorder(
      clock: clock, loop: CalibrationLoop(clock: clock) { clock.advance(by: 1_000_000) }, latency: latency,
      probe: ConditionsProbe(system: system.view, process: 10, ticksPerSecond: 100))
  }

  private func wait(_ seconds: Double) { clock.advance(by: UInt64(seconds * 1e9)) }

  @Test func stretchesAreDifferencesInSeconds() throws {
    system.set(busy: 1000, idle: 500, stolen: 0, own: 100, worker: 200, other: 700)
    let recorder = recorder()
    recorder.begin()
    wait(2)
    // Of 2 s on two cores: 1.5 s of ours, 1 s of another's, 0.1 s stolen.
    system.set(busy: 1250, idle: 640, stolen: 10, own: 110, worker: 340, other: 800)
    let observed = recorder.end()
    expectEqual(observed.stretches.count, 1)
    let stretch = try #require(observed.stretches.first)
    expectEqual(stretch.startSeconds, 0)
    #expect(abs(stretch.seconds - 2) < 0.02)
    expectEqual(stretch.cores, 2)
    expectEqual(stretch.busySeconds, 2.5)
    expectEqual(stretch.ownSeconds, 1.5)
    expectEqual(stretch.stolenSeconds, 0.1)
    expectEqual(stretch.totalSeconds, 4)
    expectEqual(observed.calibration.map(\.nanoseconds), [1_000_000, 1_000_000])
    #expect(observed.calibration.allSatisfy { $0.frequencyMHz == nil })
  }

  @Test func everyLookHasTheWayFromCoreToCore() {
    let trips = UInt64(2 * CoreToCoreLatency.roundTrips)
    let clock = clock
    let recorder = recorder(
      latency: CoreToCoreLatency { clock.now() < 1_000_000_000 ? [90 * trips, 50 * trips] : [170 * trips] })
    recorder.begin()
    wait(2)
    let observed = recorder.end()
    expectEqual(observed.coreToCore?.map(\.nanoseconds), [50, 170])
    expectEqual(observed.coreToCore?.map { $0.atSeconds.rounded() }, [0, 2])
    recorder.begin()
    expectEqual(recorder.observed.coreToCore?.count, 1)
  }

  /// A way of light in a nanosecond is 30 cm; a millisecond would be a core that was away in each of three trials.
  @Test func aLineTakesTimeFromCoreToCore() {
    expectNil(CoreToCoreLatency { [] }.measure())
    expectNil(CoreToCoreLatency { [0] }.measure())
    guard let nanoseconds = CoreToCoreLatency().measure() else {
      expectEqual(CPUTopology.availableCores, 1)
      return
    }
    #expect(nanoseconds > 1 && nanoseconds < 1_000_000)
  }

  @Test func looksKeepTheirDistance() {
    system.set(busy: 0, idle: 0, stolen: 0, own: 0, worker: 0)
    let recorder = recorder()
    recorder.betweenRounds()
    #expect(recorder.observed.calibration.isEmpty)
    recorder.begin()
    for _ in 0..<100 {
      recorder.betweenRounds()
      wait(0.1)
    }
    let count = recorder.observed.calibration.count
    #expect((9...10).contains(count), "\(count)")
    // A last stretch of a tenth of a second would be rounding alone: it becomes part of the one before.
    wait(2)
    recorder.betweenRounds()
    let before = recorder.observed.stretches.count
    wait(0.1)
    let observed = recorder.end()
    expectEqual(observed.stretches.count, before)
    #expect(observed.stretches.map(\.seconds).min() ?? 0 > 1)
    let gaps = zip(observed.stretches.dropFirst(), observed.stretches).map {
      $0.startSeconds - $1.startSeconds - $1.seconds
    }
    #expect(gaps.allSatisfy { abs($0) < 1e-9 })
  }

  @Test func whatCannotBeReadIsNil() {
    let recorder = recorder()
    recorder.begin()
    wait(2)
    let observed = recorder.end()
    expectEqual(observed.stretches.count, 1)
    let stretch = observed.stretches[0]
    expectNil(stretch.busySeconds)
    expectNil(stretch.ownSeconds)
    expectNil(stretch.stolenSeconds)
    expectNil(stretch.totalSeconds)
    expectNil(stretch.cores)
    expectNil(observed.pagesSwappedIn)
    expectNil(observed.pagesSwappedOut)
    expectNil(observed.groupThrottledPeriods)
    expectNil(observed.groupThrottledSeconds)
    expectNil(observed.coreThrottles)
    expectNil(observed.packageThrottles)
  }

  @Test func countersThatShrankAreNil() {
    system.set(busy: 1000, idle: 500, stolen: 5, own: 100, worker: 200)
    system["/proc/vmstat"] = "pswpin 50\npswpout 1"
    let recorder = recorder()
    recorder.begin()
    wait(2)
    // The worker is gone, and nobody has waited for it.
    system.set(busy: 1200, idle: 700, stolen: 2, own: 150, worker: 0)
    system["/proc/vmstat"] = "pswpin 3\npswpout 4"
    let observed = recorder.end()
    expectEqual(observed.stretches[0].busySeconds, 2)
    expectNil(observed.stretches[0].ownSeconds)
    expectNil(observed.stretches[0].stolenSeconds)
    expectNil(observed.pagesSwappedIn)
    expectEqual(observed.pagesSwappedOut, 3)
  }

  @Test func incidentsAreCountedFromBeginToEnd() {
    system["/proc/self/cgroup"] = "0::/a"
    func set(_ throttled: Int, _ microseconds: Int, _ core: Int, _ package: Int) {
      system["/sys/fs/cgroup/cpu.stat"] = "usage_usec 1"
      system["/sys/fs/cgroup/a/cpu.stat"] = "nr_throttled \(throttled)\nthrottled_usec \(microseconds)"
      for cpu in 0..<2 {
        let folder = "/sys/devices/system/cpu/cpu\(cpu)/thermal_throttle"
        system[folder + "/core_throttle_count"] = "\(core)"
        system[folder + "/package_throttle_count"] = "\(package)"
      }
      system["/sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq"] = "1"
    }
    set(5, 1000, 7, 9)
    let recorder = recorder()
    recorder.begin()
    expectNil(recorder.observed.coreThrottles)
    wait(2)
    set(8, 501_000, 10, 9)
    let observed = recorder.end()
    expectEqual(observed.groupThrottledPeriods, 3)
    expectEqual(observed.groupThrottledSeconds, 0.5)
    expectEqual(observed.coreThrottles, 6)
    expectEqual(observed.packageThrottles, 0)
  }

  @Test func anObservationCanBeginAnew() {
    system.set(busy: 0, idle: 0, stolen: 0, own: 0, worker: 0)
    let recorder = recorder()
    recorder.begin()
    wait(3)
    recorder.end()
    recorder.begin()
    #expect(recorder.observed.stretches.isEmpty)
    expectEqual(recorder.observed.calibration.count, 1)
  }

  /// Against this machine: what is read here is plausible, and a thread that burns time for a while is ours.
  @Test func thisMachine() throws {
    let recorder = ConditionsRecorder()
    recorder.begin()
    let end = ContinuousClock.now + .milliseconds(1200)
    var x = 1.0
    while ContinuousClock.now < end { x = (x + 1).squareRoot() }
    #expect(x > 1)
    let observed = recorder.end()
    let stretch = try #require(observed.stretches.first)
    #expect(stretch.seconds > 1.1)
    if let busy = stretch.busySeconds, let own = stretch.ownSeconds, let total = stretch.totalSeconds,
      let cores = stretch.cores
    {
      // Ticks of 10 ms are cut off in several places.
      #expect(own > 0.3 && own < busy + 0.3)
      #expect(total > 0.5 * stretch.seconds * Double(cores))
    }
    expectEqual(observed.calibration.count, 2)
    #expect(observed.calibration.allSatisfy { (100_000...100_000_000).contains($0.nanoseconds) })
  }
}

struct CalibrationLoopTests {
  @Test func theFastestOfTheTrialsCounts() {
    let clock = FakeClock()
    let durations = Mutex<[UInt64]>([9, 4, 7, 5])
    let loop = CalibrationLoop(clock: clock) {
      clock.advance(by: durations.withLock { $0.removeFirst() })
    }
    expectEqual(loop.time(), 4)
    #expect(durations.withLock { $0.isEmpty })
    expectNil(CalibrationLoop(clock: clock) {}.time())
  }

  @Test func theChainIsNotOptimisedAway() {
    func nanoseconds(_ steps: Int) -> UInt64 {
      let clock = SystemClock()
      let start = clock.now()
      CalibrationLoop.chain(steps: steps)
      return clock.now() - start
    }
    // In turns: other tests slow stretches of the time that is measured.
    var (one, ten) = (UInt64.max, UInt64.max)
    for _ in 0..<20 { (one, ten) = (min(one, nanoseconds(100_000)), min(ten, nanoseconds(1_000_000))) }
    // Ten times the steps take ten times as long, and a step takes at least the multiplication's latency.
    #expect(Double(ten) / Double(max(one, 1)) > 4)
    #expect(ten > 300_000)
  }
}
