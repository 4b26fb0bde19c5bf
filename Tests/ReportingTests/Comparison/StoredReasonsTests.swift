import Testing

@testable import Record
@testable import Reporting

@Suite struct StoredReasonsTests {
  private func records(slowdown: Double) -> (base: Record, head: Record) {
    var base = Fixture.comparable()
    var head = Fixture.comparable(Slowdown(kvCacheDecode: slowdown), run: 1)
    base.profiles = [Fixture.profile("kv-cache", threads: 1)]
    head.profiles = [
      Fixture.profile(
        "kv-cache", .decode, threads: 1,
        Fixture.cachedToken.map { time in
          var time = time
          if time.phase == .down { time.microseconds *= 2 }
          return time
        })
    ]
    return (base, head)
  }

  @Test func aRowThatRegressedIsExplained() {
    let (base, head) = records(slowdown: 1.3)
    let comparison = Comparison(base: base, head: head)
    #expect(comparison.reasons.count == 1)
    #expect(
      comparison.markdown.contains(
        "## Why\n\n- `kv-cache` (1 thread), `tg5 @ d64`, regressed: head takes 1.20 × as long as base"))
    #expect(comparison.markdown.contains("100 % from slower work in MLP"))
  }

  @Test func profilesThatSayOtherwiseAreCalledSo() {
    let (base, head) = records(slowdown: 0.7)
    let comparison = Comparison(base: base, head: head)
    #expect(comparison.reasons.count == 1)
    #expect(comparison.reasons[0].contains("improved; the profiles do not show it: head takes"))
  }

  @Test func nothingIsSaidWithoutProfilesOrWithoutAChange() {
    var (base, head) = records(slowdown: 1.3)
    head.profiles = nil
    #expect(Comparison(base: base, head: head).reasons.isEmpty)
    #expect(!Comparison(base: base, head: head).markdown.contains("## Why"))
    (base, head) = records(slowdown: 1)
    #expect(Comparison(base: base, head: head).reasons.isEmpty)
  }
}
