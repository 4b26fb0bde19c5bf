/// Trials of reading one level of memory. Each thread has its own region of the buffer; what it reads of it decides
/// which level it reads from.
struct MemoryReader {
  let buffer: SharedBuffer
  let threads: Int
  let settings: CeilingSettings

  /// Whether each thread's region has room for its working set.
  func fits(_ set: WorkingSet) -> Bool { set.bytesPerThread <= buffer.part(0, of: threads).bytes }

  /// GB/s of each trial, of all threads together.
  func rates(_ set: WorkingSet, _ pattern: ReadPattern) -> [Double] {
    set.level == .dram ? ratesOfBuffer(pattern) : ratesOfCache(set, pattern)
  }

  /// A trial reads the next part of every region, a pass all of them. A thread's regions are those that it, or a
  /// thread on a core near it, has filled: on machines with several memories they lie in its own.
  private func ratesOfBuffer(_ pattern: ReadPattern) -> [Double] {
    let parts = settings.trialsPerPass
    let times = ThreadTrials.run(threads: threads, trials: parts * settings.passes) { thread, trial in
      let part = buffer.part(thread * parts + trial % parts, of: threads * parts)
      blackHole(PeakKernels.read(part.start, bytes: part.bytes, pattern))
    }
    return times.map { Double(buffer.bytes) / Double(parts) / Double($0) }
  }

  /// A trial reads the working set as often as fills it. The one that brings it into the cache does not count.
  private func ratesOfCache(_ set: WorkingSet, _ pattern: ReadPattern) -> [Double] {
    let walks = max(1, (settings.cacheTrialBytes[set.level] ?? 0) / set.bytesPerThread)
    let times = ThreadTrials.run(threads: threads, trials: settings.cacheTrials + 1) { thread, _ in
      let region = buffer.part(thread, of: threads).start
      for _ in 0..<walks { blackHole(PeakKernels.read(region, bytes: set.bytesPerThread, pattern)) }
    }
    let work = Double(walks) * Double(set.bytesPerThread) * Double(threads)
    return times.dropFirst().map { work / Double($0) }
  }
}
