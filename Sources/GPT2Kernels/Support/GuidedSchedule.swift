/// Cuts work into parts that shrink towards the end: each round hands every thread an equal share of half of what
/// is left, down to single grains. Early parts are large, so that neighbouring work stays on one thread; late ones
/// are small, so that threads of unequal speed end together (guided self-scheduling: Polychronopoulos and Kuck,
/// 1987).
///
/// A part follows from its number alone, so taking one costs an atomic addition.
struct GuidedSchedule {
  let grains: Int
  let threads: Int

  init(count: Int, grain: Int, threads: Int) {
    grains = (count + grain - 1) / grain
    self.threads = threads
  }

  /// The grains of part `number`; nil behind the last.
  func part(_ number: Int) -> Range<Int>? {
    var (start, index) = (0, number)
    while start < grains {
      let left = grains - start
      let size = max(left / (2 * threads), 1)
      if index < threads {
        let first = start + index * size
        return first < grains ? first..<min(first + size, grains) : nil
      }
      index -= threads
      start += threads * size
    }
    return nil
  }
}
