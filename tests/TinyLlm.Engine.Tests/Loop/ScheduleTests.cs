using System.Globalization;
using TinyLlm.Tests;

namespace TinyLlm.Engine.Tests;

/// <summary>
/// Seeded schedules in fake time: callers arrive with prompts that share beginnings, cancel, stop reading, models are loaded, evicted and loaded
/// again. After every turn the books must agree with the device, and at the end nothing may be left. TINYLLM_SCHEDULES sets how many, 1,000
/// unless it says otherwise.
/// </summary>
public sealed class ScheduleTests(ITestOutputHelper output)
{
    private static readonly int s_schedules = int.Parse(Environment.GetEnvironmentVariable("TINYLLM_SCHEDULES") ?? "1000", CultureInfo.InvariantCulture);

    [Fact]
    public void Turn_RandomSchedules_EverySequenceEndsOnceWithItsTextAndNothingIsLeft()
    {
        Tally tally = new();
        for (int seed = 0; seed < s_schedules; seed++) Run(seed, tally);
        output.WriteLine($"{s_schedules} schedules: {tally}");
        Assert.All(tally.Ends, ends => Assert.True(ends > s_schedules / 10, $"too few of some kind: {tally}"));
    }

    private static void Run(int seed, Tally tally)
    {
        Random random = new(seed);
        DeviceLoopOptions options = new()
        {
            MaxRunning = random.Next(1, 12),
            MaxBatch = random.Next(1, 6),
            MaxWaiting = random.Next(2, 20),
            PrefillTokens = random.Next(1, 40),
            PrefixCacheShare = random.Next(3) * 0.3,
            WaitDeadline = TimeSpan.FromSeconds(2),
            SlowReaderDeadline = TimeSpan.FromSeconds(2),
            PrefixCacheLifetime = TimeSpan.FromSeconds(5),
            IsFair = random.Next(5) > 0,
        };
        SimulatedBackend device = new(60_000 + random.Next(60_000)) { BytesPerToken = 50, Next = TextHash.Next };
        using ScheduleFixture fixture = new(options, device, TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(1));
        Models models = new(fixture);
        List<Following> all = [];
        fixture.Scheduler.OnStarved = _ => models.EvictIdle(tally);
        int actions = random.Next(60, 120);
        while (actions > 0 || all.Exists(following => !following.IsDone))
        {
            if (actions-- > 0) Act(random, fixture, models, all, tally);
            if (!fixture.Scheduler.Turn()) fixture.Time.Advance(TimeSpan.FromMilliseconds(random.Next(1, 200)));
            foreach (Following following in all) following.Read(random, fixture, tally, isLast: actions <= 0);
            if (fixture.Budget.ReservedBytes > fixture.Budget.LimitBytes || device.AllocatedBytes > fixture.Budget.ReservedBytes)
                throw new InvalidOperationException($"seed {seed}: {device.AllocatedBytes} bytes allocated, {fixture.Budget.ReservedBytes} reserved of {fixture.Budget.LimitBytes}");
        }
        Assert.Equal(0, fixture.Waiting);
        Assert.Equal(fixture.Budget.ReservedBytes, fixture.Scheduler.Prefixes.Bytes + models.Bytes);
        while (models.EvictIdle(tally)) ;
        Assert.Equal((0L, 0L, 0L), (fixture.Budget.ReservedBytes, device.AllocatedBytes, device.LiveTensors));
        Assert.False(fixture.Scheduler.Turn());
    }

    private static void Act(Random random, ScheduleFixture fixture, Models models, List<Following> all, Tally tally)
    {
        switch (random.Next(10))
        {
            case 0:
                models.EvictIdle(tally);
                break;
            case 1 when all.Count > 0:
                all[random.Next(all.Count)].Sequence.Cancel();
                break;
            case 2:
                fixture.Time.Advance(TimeSpan.FromMilliseconds(random.Next(3000)));
                break;
            case 3 when random.Next(5) == 0:
                fixture.Scheduler.Forget($"caller {random.Next(4)}");
                break;
            default:
                if (models.Get(random.Next(3), tally) is not ResidentModel model) break;
                Random text = new(random.Next(3));
                int[] prompt = [.. Enumerable.Range(0, random.Next(1, 60)).Select(i => i < 50 ? text.Next(8) : random.Next(8))];
                if (fixture.Start(model, $"caller {random.Next(4)}", prompt, random.Next(1, 30), channelTokens: random.Next(1, 8)) is Sequence sequence) all.Add(new Following(sequence, random));
                else tally.Refused++;
                break;
        }
    }

    /// <summary>Up to three models, loaded when asked for and evicted when nobody uses them: a model host's part.</summary>
    private sealed class Models(ScheduleFixture fixture)
    {
        private readonly Dictionary<int, ResidentModel> _models = [];

        public long Bytes => _models.Values.Sum(model => model.WeightBytes);

        public ResidentModel? Get(int number, Tally tally)
        {
            if (_models.TryGetValue(number, out ResidentModel? model)) return model;
            while (!fixture.Scheduler.Prefixes.TryReserve(LoopFixture.WeightBytes))
            {
                if (!EvictIdle(tally)) return null;
            }
            tally.Loads++;
            return _models[number] = fixture.Load();
        }

        public bool EvictIdle(Tally tally)
        {
            foreach ((int number, ResidentModel model) in _models)
            {
                if (model.Sequences > 0) continue;
                _models.Remove(number);
                fixture.Unload(model);
                fixture.Budget.Release(model.WeightBytes);
                tally.Evictions++;
                return true;
            }
            return false;
        }
    }

    /// <summary>Reads a sequence, and knows what it may say.</summary>
    private sealed class Following(Sequence sequence, Random random)
    {
        private readonly int[] _expected = TextHash.Continue([.. sequence.Request.PromptIds], sequence.Request.MaxNewTokens, TinyCheckpoint.Vocabulary);
        private readonly bool _isSlow = random.Next(8) == 0;
        private int _read;

        public Sequence Sequence => sequence;

        public bool IsDone { get; private set; }

        public void Read(Random turns, ScheduleFixture fixture, Tally tally, bool isLast)
        {
            if (IsDone || (_isSlow && !sequence.Completion.Task.IsCompleted && (!isLast || turns.Next(3) > 0))) return;
            while (sequence.Tokens.Reader.TryRead(out GeneratedToken token)) Assert.Equal(_expected[_read++], token.Id);
            if (!sequence.Completion.Task.IsCompleted) return;
            GenerationEnd end = sequence.Completion.Task.Result;
            Assert.True(sequence.Tokens.Reader.Completion.IsCompleted);
            Assert.Equal(_read, end.CompletionTokens);
            Assert.Equal(end.Reason == FinishReason.Length, _read == _expected.Length);
            Assert.Equal(end.Reason == FinishReason.Failed, end.Error is EngineBusyException);
            Assert.InRange(end.CachedTokens, 0, sequence.Request.PromptIds.Length - 1);
            IsDone = true;
            tally.Count(end);
            _ = fixture;
        }
    }

    private sealed class Tally
    {
        public int Length { get; private set; }

        public int Cancelled { get; private set; }

        public int Slow { get; private set; }

        public int Busy { get; private set; }

        public int Cached { get; private set; }

        public int Refused { get; set; }

        public int Loads { get; set; }

        public int Evictions { get; set; }

        public IEnumerable<int> Ends => [Length, Cancelled, Slow, Busy, Cached, Refused, Loads, Evictions];

        public void Count(GenerationEnd end)
        {
            if (end.CachedTokens > 0) Cached++;
            switch (end.Reason)
            {
                case FinishReason.Length: Length++; break;
                case FinishReason.Cancelled: Cancelled++; break;
                case FinishReason.SlowReader: Slow++; break;
                default: Busy++; break;
            }
        }

        public override string ToString() =>
            $"{Length} to their length, {Cancelled} cancelled, {Slow} unread, {Busy} without room in time, {Refused} refused at the queue; {Cached} with a cached prompt; {Loads} loads, {Evictions} evictions";
    }
}
