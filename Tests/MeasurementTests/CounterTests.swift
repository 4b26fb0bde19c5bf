import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Measurement

/// Counters that say what a test wants.
private final class FakeLayer: CounterLayer {
  var errors: [CounterEvent: Int32] = [:]
  var refusesHypervisor: Int32?
  var refusesEnabling: Set<Int32> = []
  var readings: [Int32: CounterReading] = [:]
  var events: [Int32: CounterEvent] = [:]
  var enabled: Set<Int32> = []
  var closed: [Int32] = []

  func open(_ event: CounterEvent, excludesHypervisor: Bool) -> Int32 {
    if let error = errors[event] { return -error }
    if excludesHypervisor, let error = refusesHypervisor { return -error }
    let descriptor = Int32(events.count + 3)
    events[descriptor] = event
    readings[descriptor] = CounterReading(count: 0, enabled: 0, running: 0)
    return descriptor
  }

  func enable(_ descriptor: Int32, _ isEnabled: Bool) -> Bool {
    if refusesEnabling.contains(descriptor) { return false }
    if isEnabled { enabled.insert(descriptor) } else { enabled.remove(descriptor) }
    return true
  }

  func read(_ descriptor: Int32) -> CounterReading? { readings[descriptor] }
  func close(_ descriptor: Int32) { closed.append(descriptor) }

  /// What the counters that are enabled count.
  func count(_ counts: [CounterEvent: UInt64], enabled time: UInt64, running: UInt64) {
    for (descriptor, event) in events where enabled.contains(descriptor) {
      readings[descriptor]?.count += counts[event] ?? 0
      readings[descriptor]?.enabled += time
      readings[descriptor]?.running += running
    }
  }
}

struct CounterTests {
  private let layer = FakeLayer()

  private func open(_ events: [CounterEvent] = CounterEvent.hardware) throws -> CounterSet {
    try CounterSet(events, layer: layer, paranoid: { "3" })
  }

  @Test func onlyWhatFallsBetweenStartAndStopCounts() throws {
    let counters = try open()
    layer.count([.instructions: 99], enabled: 5, running: 5)
    counters.start()
    expectEqual(layer.enabled.count, 4)
    layer.count([.instructions: 1000, .cycles: 500, .cacheMisses: 0], enabled: 10, running: 10)
    let counted = try #require(counters.stop())
    #expect(layer.enabled.isEmpty)
    expectEqual(
      counted.counts, [.instructions: 1000, .cycles: 500, .cacheReferences: 0, .cacheMisses: 0])
    expectEqual(counted.share, 1)
    counters.start()
    layer.count([.instructions: 7], enabled: 1, running: 1)
    expectEqual(counters.stop()?.counts[.instructions], 7)
  }

  @Test func countersThatTookTurnsAreScaled() throws {
    let counters = try open([.instructions, .cycles])
    counters.start()
    layer.count([.instructions: 300, .cycles: 30], enabled: 100, running: 40)
    let counted = try #require(counters.stop())
    expectEqual(counted.counts, [.instructions: 750, .cycles: 75])
    expectEqual(counted.share, 0.4)
  }

  @Test func whatNeverCountedIsAbsent() throws {
    let counters = try open([.instructions, .cycles])
    counters.start()
    layer.count([:], enabled: 100, running: 0)
    expectNil(counters.stop())
    counters.start()
    layer.count([.instructions: 5, .cycles: 5], enabled: 1, running: 1)
    // Cycles went backwards, as a counter does that wrapped.
    let cycles = try #require(layer.events.first { $0.value == .cycles }?.key)
    layer.readings[cycles] = CounterReading(count: 0, enabled: 0, running: 0)
    expectEqual(counters.stop()?.counts, [.instructions: 5])
    layer.readings[cycles] = nil
    counters.start()
    layer.count([.instructions: 6], enabled: 1, running: 1)
    expectEqual(counters.stop()?.counts, [.instructions: 6])
  }

  @Test func aCounterThatCannotBeEnabledIsAbsent() throws {
    let counters = try open([.instructions, .cycles])
    layer.refusesEnabling = Set(layer.events.filter { $0.value == .cycles }.keys)
    counters.start()
    layer.count([.instructions: 6, .cycles: 9], enabled: 1, running: 1)
    expectEqual(counters.stop()?.counts, [.instructions: 6])
  }

  @Test func someCountersAreBetterThanNone() throws {
    layer.errors = [.cacheReferences: ENOENT, .cacheMisses: ENOENT]
    let counters = try open()
    expectEqual(Set(layer.events.values), [.instructions, .cycles])
    counters.start()
    layer.count([.instructions: 6, .cycles: 9], enabled: 1, running: 1)
    expectEqual(counters.stop()?.counts.count, 2)
  }

  @Test func aHypervisorThatCannotBeLeftOutIsCounted() throws {
    layer.refusesHypervisor = EINVAL
    _ = try open()
    expectEqual(layer.events.count, 4)
  }

  @Test func allAreClosed() throws {
    do { _ = try open() }
    expectEqual(layer.closed.sorted(), layer.events.keys.sorted())
  }

  @Test(arguments: [
    (ENOENT, "perf_event_open: no hardware counters (ENOENT): a virtual machine without a PMU"),
    (
      EACCES,
      "perf_event_open: not allowed (EACCES): /proc/sys/kernel/perf_event_paranoid is 3, 2 or less allows it"
    ),
    (
      EPERM,
      "perf_event_open: not allowed (EPERM): /proc/sys/kernel/perf_event_paranoid is 3, 2 or less allows it"
    ),
    (EOPNOTSUPP, "perf_event_open: this CPU's counters are not supported here (EOPNOTSUPP)"),
    (ENOSYS, "no perf_event_open on this system"),
    (EMFILE, "perf_event_open: Too many open files (\(EMFILE))"),
  ])
  func thereIsAReasonForNone(number: Int32, reason: String) {
    for event in CounterEvent.hardware { layer.errors[event] = number }
    #expect(throws: CountersUnavailable(number, paranoid: "3")) { try open() }
    expectEqual(CountersUnavailable(number, paranoid: "3").description, reason)
  }

  @Test func aLevelThatCannotBeReadIsSaidSo() {
    expectEqual(
      CountersUnavailable(EACCES, paranoid: nil).description,
      "perf_event_open: not allowed (EACCES): /proc/sys/kernel/perf_event_paranoid cannot be read")
  }
}

/// The system calls themselves, through counters that the kernel has on every machine.
@Suite(.enabled(if: (try? CounterSet([.taskClock])) != nil, "perf_event_open is not allowed here"))
struct SoftwareCounterTests {
  private static func burn(milliseconds: UInt64) {
    let end = nanoseconds(of: CLOCK_THREAD_CPUTIME_ID) + milliseconds * 1_000_000
    while nanoseconds(of: CLOCK_THREAD_CPUTIME_ID) < end {}
  }

  @Test func threadsThatStartLaterAreCountedAndEarlierOnesAreNot() throws {
    let go = DispatchSemaphore(value: 0)
    let done = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      go.wait()
      Self.burn(milliseconds: 60)
      done.signal()
    }
    let counters = try CounterSet([.taskClock, .pageFaults])
    counters.start()
    go.signal()
    done.wait()
    let earlier = try #require(counters.stop()?.counts[.taskClock])
    #expect(earlier < 30_000_000)

    // It is there before the counting starts, as a pool's are, and lives on when it stops.
    let begin = DispatchSemaphore(value: 0)
    let end = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      for _ in 0..<2 {
        begin.wait()
        Self.burn(milliseconds: 30)
        done.signal()
      }
      end.wait()
      done.signal()
    }
    for _ in 0..<2 {
      counters.start()
      begin.signal()
      done.wait()
      let counted = try #require(counters.stop())
      let time = try #require(counted.counts[.taskClock])
      #expect((25_000_000...500_000_000).contains(time), "\(time)")
      expectEqual(counted.share, 1)
    }
    // Nor does what runs outside count, and the time of a thread that has ended stays.
    Self.burn(milliseconds: 30)
    counters.start()
    end.signal()
    done.wait()
    Self.burn(milliseconds: 10)
    let last = try #require(counters.stop()?.counts[.taskClock])
    #expect((8_000_000...25_000_000).contains(last), "\(last)")
  }

  @Test func pageFaultsAreCounted() throws {
    let counters = try CounterSet([.pageFaults])
    counters.start()
    let pages = 64
    let size = pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)
    let start = try #require(memory)
    #if canImport(Glibc)
      madvise(start, size, MADV_NOHUGEPAGE)
    #endif
    for page in 0..<pages { start.storeBytes(of: 1, toByteOffset: page * size / pages, as: UInt8.self) }
    let counted = try #require(counters.stop()?.counts[.pageFaults])
    munmap(start, size)
    #expect((pages...pages + 200).contains(counted))
  }
}
