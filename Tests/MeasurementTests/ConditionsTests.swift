import TestSupport
import Testing

@testable import Measurement

struct ConditionsParserTests {
  @Test func theCPUsOfSeveralKernels() throws {
    let modern = """
      cpu  1222499 565 161729 992568 6992 3 938 4099 77 5
      cpu0 562687 209 80452 546880 2132 0 82 2024 0 0
      cpu1 659811 356 81276 445688 4860 0 855 2075 0 0
      intr 6344541 0 0
      cpufreq 1
      """
    let times = try #require(CPUTimes(modern))
    // The time of guests, the last two, is in user and nice already.
    expectEqual(times.busy, 1_222_499 + 565 + 161_729 + 3 + 938)
    expectEqual(times.total, times.busy + 992_568 + 6992 + 4099)
    expectEqual(times.stolen, 4099)
    expectEqual(times.cores, 2)
    let old = try #require(CPUTimes("cpu  10 2 3 85\ncpu0 10 2 3 85\n"))
    expectEqual(old.busy, 15)
    expectEqual(old.total, 100)
    expectNil(old.stolen)
    expectEqual(old.cores, 1)
    let without = try #require(CPUTimes("cpu 10 2 3 85 7 1 1"))
    expectEqual(without.busy, 17)
    expectEqual(without.total, 109)
    expectNil(without.stolen)
    expectNil(without.cores)
  }

  @Test(arguments: [
    "", "cpu", "cpu  ", "cpu0 1 2 3 4", "cpu 1 2 3", "cpu 1 2 x 4 5 6 7 8", "cpu -1 2 3 4", "cpufreq 1 2 3 4",
    "cpu 18446744073709551615 1 1 1", "cpu 18446744073709551616 1 1 1",
  ])
  func whatIsNoLineOfCPUTimesIsNone(text: String) {
    expectNil(CPUTimes(text))
  }

  @Test func aCounterThatShrankHasNoGrowth() {
    expectEqual(growth(3, 10), 7)
    expectEqual(growth(3, 3), 0)
    expectNil(growth(.max - 1, 5))
    expectNil(growth(nil, 5))
    expectNil(growth(5, nil))
  }

  private func stat(_ pid: Int, _ parent: Int, _ name: String = "x", _ times: String = "10 5 2 1") -> String {
    "\(pid) (\(name)) S \(parent) 1 1 0 -1 4194304 101 0 0 0 \(times) 20 0 1 0 1197522 3133440 366"
  }

  @Test func processTimesWhateverTheName() throws {
    let plain = try #require(ProcessTimes(stat(7, 3)))
    expectEqual(plain.pid, 7)
    expectEqual(plain.parent, 3)
    expectEqual(plain.ticks, 18)
    let odd = try #require(ProcessTimes(stat(8, 7, "a) S 1 (b) 2")))
    expectEqual(odd.pid, 8)
    expectEqual(odd.parent, 7)
    expectEqual(odd.ticks, 18)
    for wrong in [
      "", "7", "7 (x", "7 x S 3", "x (x) S 3 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "7 (x) S 3 1 1",
      stat(7, 3, "x", "10 5 -2 1"), stat(7, 3, "x", "10 five 2 1"), ")7(",
      stat(7, 3, "x", "\(UInt64.max) 1 1 1"),
    ] { expectNil(ProcessTimes(wrong), Comment(rawValue: wrong)) }
  }

  @Test func aTreeIsTheRootWithAllItsDescendants() {
    let processes = [
      stat(1, 0), stat(10, 1), stat(11, 10), stat(12, 11), stat(13, 11), stat(20, 1), stat(21, 20),
    ].compactMap(ProcessTimes.init)
    expectEqual(ProcessTimes.ticks(ofTree: 10, in: processes), 72)
    expectEqual(ProcessTimes.ticks(ofTree: 13, in: processes), 18)
    expectEqual(ProcessTimes.ticks(ofTree: 1, in: processes), 126)
    expectNil(ProcessTimes.ticks(ofTree: 99, in: processes))
    // A process that is its own ancestor, as a number that was given out again while the folder was read.
    let circle = [stat(10, 11), stat(11, 10)].compactMap(ProcessTimes.init)
    expectEqual(ProcessTimes.ticks(ofTree: 10, in: circle), 36)
  }

  @Test func throttlingOfBothVersionsOfControlGroups() {
    let second = """
      usage_usec 1234
      nr_periods 20
      nr_throttled 3
      throttled_usec 4500
      nr_bursts 0
      """
    expectEqual(GroupThrottling(second), GroupThrottling(periods: 3, nanoseconds: 4_500_000))
    let first = "nr_periods 0\nnr_throttled 2\nthrottled_time 77\n"
    expectEqual(GroupThrottling(first), GroupThrottling(periods: 2, nanoseconds: 77))
    expectEqual(GroupThrottling("nr_throttled 2"), GroupThrottling(periods: 2, nanoseconds: nil))
    // The root of version 2 has no quota.
    expectNil(GroupThrottling("usage_usec 1234\nuser_usec 1000\n"))
    expectNil(GroupThrottling("nr_throttled many\n"))
    expectNil(GroupThrottling(""))
    expectEqual(
      GroupThrottling("nr_throttled 1\nthrottled_usec 18446744073709551615"),
      GroupThrottling(periods: 1, nanoseconds: nil))
  }

  @Test func groupsAreSummedWhereAllTell() {
    let known = GroupThrottling(periods: 2, nanoseconds: 5)
    expectEqual(GroupThrottling.sum([known, known]), GroupThrottling(periods: 4, nanoseconds: 10))
    expectEqual(
      GroupThrottling.sum([known, .init(periods: 1, nanoseconds: nil)]),
      GroupThrottling(periods: 3, nanoseconds: nil))
    expectNil(GroupThrottling.sum([]))
  }

  @Test func theGroupsOfAProcess() {
    expectEqual(GroupThrottling.files("0::/"), ["/sys/fs/cgroup/cpu.stat"])
    expectEqual(
      GroupThrottling.files("0::/user.slice/a.scope\n"),
      [
        "/sys/fs/cgroup/cpu.stat", "/sys/fs/cgroup/user.slice/cpu.stat",
        "/sys/fs/cgroup/user.slice/a.scope/cpu.stat",
      ])
    expectEqual(
      GroupThrottling.files("9:name=systemd:/s\n5:cpuset:/c\n4:cpu,cpuacct:/docker/x:y\n3:memory:/m"),
      [
        "/sys/fs/cgroup/cpu/cpu.stat", "/sys/fs/cgroup/cpu/docker/cpu.stat",
        "/sys/fs/cgroup/cpu/docker/x:y/cpu.stat",
      ])
    expectEqual(
      GroupThrottling.files("0::/../../etc"), ["/sys/fs/cgroup/cpu.stat", "/sys/fs/cgroup/etc/cpu.stat"])
    expectEqual(GroupThrottling.files("nonsense\n0:\n:::"), [])
  }

  @Test func linesOfNamesAndNumbers() {
    let paging = "nr_free_pages 5\npswpin 12\npswpout 0\nbroken\npswpinned 9\n"
    expectEqual(SystemFiles.count(of: "pswpin", in: paging), 12)
    expectEqual(SystemFiles.count(of: "pswpout", in: paging), 0)
    expectNil(SystemFiles.count(of: "broken", in: paging))
    expectNil(SystemFiles.count(of: "pswp", in: paging))
  }

  @Test func frequenciesAreMegahertz() {
    expectEqual(ConditionsProbe.megahertz("2400000"), 2400)
    for wrong in ["", "<unknown>", "0", "-5", "inf", "nan"] {
      expectNil(ConditionsProbe.megahertz(wrong))
    }
  }
}
