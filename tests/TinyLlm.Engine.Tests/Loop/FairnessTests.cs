using TinyLlm.Tests;

namespace TinyLlm.Engine.Tests;

/// <summary>
/// One busy caller beside light ones, in simulated time. The device takes 10 ms for a step and 0.125 ms for each token in it: a batch of 16 then
/// takes 1.2 times as long as one of 1, the upper end of what libtorch's bf16 products showed on the reference machine.
/// </summary>
public sealed class FairnessTests(ITestOutputHelper output)
{
    private const int LightCallers = 8, BusyStreams = 48;

    private static readonly TimeSpan s_perStep = TimeSpan.FromMilliseconds(10), s_perToken = TimeSpan.FromMilliseconds(0.125), s_length = TimeSpan.FromMinutes(3);

    [Theory]
    [InlineData(1, 64)]
    [InlineData(2, 64)]
    [InlineData(3, 64)]
    [InlineData(1, 16)] // more run than a batch takes
    [InlineData(2, 16)]
    [InlineData(3, 16)]
    public void LightCallers_BesideABusyOne_WaitAtMostHalfAsLongAgain(int seed, int batch)
    {
        Outcome alone = Simulate(seed, new DeviceLoopOptions { MaxBatch = batch }, busyStreams: 0);
        Outcome fair = Simulate(seed, new DeviceLoopOptions { MaxBatch = batch }, BusyStreams);
        Outcome unfair = Simulate(seed, new DeviceLoopOptions { MaxBatch = batch, IsFair = false }, BusyStreams);
        double delay = fair.P95 / alone.P95, throughput = fair.TokensPerSecond / unfair.TokensPerSecond;
        output.WriteLine(
            $"seed {seed}, batch {batch}: p95 time to first token {alone.P95:F1} ms alone, {fair.P95:F1} ms beside {BusyStreams} streams ({delay:F2} times), {unfair.P95:F1} ms without fairness; "
            + $"{fair.TokensPerSecond:F0} tokens/s, {unfair.TokensPerSecond:F0} without fairness ({throughput:P1}); {alone.Requests}, {fair.Requests} and {unfair.Requests} light requests");
        Assert.InRange(alone.Requests, 500, int.MaxValue);
        Assert.InRange(fair.Requests, alone.Requests / 2, int.MaxValue);
        Assert.InRange(delay, 0, 1.5);
        Assert.InRange(throughput, 0.9, double.PositiveInfinity);
    }

    /// <summary>Light callers think between their requests, each with one at a time; a busy stream asks again as soon as it has its answer.</summary>
    private static Outcome Simulate(int seed, DeviceLoopOptions options, int busyStreams)
    {
        using ScheduleFixture fixture = new(options, new SimulatedBackend(), s_perStep, s_perToken);
        ResidentModel model = fixture.Load();
        List<Client> clients = [.. Enumerable.Range(0, LightCallers).Select(i => new Client($"light {i}", new Random(seed * 1000 + i), TimeSpan.FromSeconds(0.5)))];
        clients.AddRange(Enumerable.Range(0, busyStreams).Select(i => new Client("busy", new Random(seed * 1000 + 100 + i), TimeSpan.Zero)));
        long start = fixture.Time.GetTimestamp();
        while (fixture.Time.GetElapsedTime(start) is var now && now < s_length)
        {
            foreach (Client client in clients) client.Act(fixture, model, now);
            if (fixture.Scheduler.Turn()) foreach (Client client in clients) client.Read(fixture.Time.GetElapsedTime(start));
            else fixture.Time.Advance(clients.Min(client => client.NextAt) - now);
        }
        double[] waits = [.. clients.Where(client => client.Caller != "busy").SelectMany(client => client.FirstTokens).Select(wait => wait.TotalMilliseconds).Order()];
        return new Outcome(waits[(int)(waits.Length * 0.95)], clients.Sum(client => client.Tokens) / s_length.TotalSeconds, waits.Length);
    }

    private sealed record Outcome(double P95, double TokensPerSecond, int Requests);

    private sealed class Client(string caller, Random random, TimeSpan thinks)
    {
        private Sequence? _sequence;
        private TimeSpan _askedAt;
        private bool _hasFirst;

        public string Caller => caller;

        public TimeSpan NextAt { get; private set; } = TimeSpan.FromSeconds(random.NextDouble());

        public List<TimeSpan> FirstTokens { get; } = [];

        public int Tokens { get; private set; }

        public void Act(ScheduleFixture fixture, ResidentModel model, TimeSpan now)
        {
            if (_sequence is not null || NextAt > now) return;
            int[] prompt = [.. Enumerable.Range(0, random.Next(20, 200)).Select(_ => random.Next(TinyCheckpoint.Vocabulary))];
            _sequence = fixture.Start(model, caller, prompt, random.Next(50, 200));
            // It came at its time, though a step was under way then.
            (_askedAt, _hasFirst) = (NextAt, false);
            if (_sequence is null) NextAt = now + TimeSpan.FromSeconds(2);
        }

        public void Read(TimeSpan now)
        {
            if (_sequence is null) return;
            while (_sequence.Tokens.Reader.TryRead(out _))
            {
                Tokens++;
                if (_hasFirst) continue;
                _hasFirst = true;
                FirstTokens.Add(now - _askedAt);
            }
            if (!_sequence.Completion.Task.IsCompleted) return;
            _sequence = null;
            NextAt = now + thinks * -Math.Log(1 - random.NextDouble());
        }
    }
}
