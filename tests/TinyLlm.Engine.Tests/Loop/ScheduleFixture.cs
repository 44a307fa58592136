using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using TinyLlm.Tests;

namespace TinyLlm.Engine.Tests;

/// <summary>
/// A scheduler without its thread: the test takes the turns, and each forward pass moves the fake clock by a fixed time and a time per token. So a
/// schedule is a pure function of its seed.
/// </summary>
internal sealed class ScheduleFixture : IDisposable
{
    private const int Context = 4096;

    private readonly TinyCheckpoint _tiny = new();
    private readonly Checkpoint _checkpoint;
    private readonly WaitingPlaces _places;

    public ScheduleFixture(DeviceLoopOptions options, SimulatedBackend device, TimeSpan perStep = default, TimeSpan perToken = default)
    {
        Device = device;
        device.Stepped = step => Time.Advance(perStep + perToken * step.Ids.Sum());
        _tiny.Config["max_position_embeddings"] = Context;
        _checkpoint = Checkpoint.Open(_tiny.Write());
        Budget = new ByteBudget(device.Device.BudgetBytes);
        _places = new WaitingPlaces(options);
        Scheduler = new Scheduler(options, Budget, new LoopCounters(), _places, Time, () => { }, sequence => sequence.Model.Sequences--, NullLogger.Instance, new EngineMeter(Time));
    }

    public SimulatedBackend Device { get; }

    public FakeTimeProvider Time { get; } = new();

    public ByteBudget Budget { get; }

    public Scheduler Scheduler { get; }

    public int Waiting => _places.Taken;

    /// <summary>A model whose bytes the caller has reserved.</summary>
    public ResidentModel Load() => new(Device.Load(_checkpoint));

    public void Unload(ResidentModel model)
    {
        Scheduler.Prefixes.Forget(model);
        model.Decoder.Dispose();
    }

    /// <summary>A sequence that waits; null: the queue refused it.</summary>
    public Sequence? Start(ResidentModel model, string caller, int[] promptIds, int newTokens, int channelTokens = 10_000)
    {
        GenerationRequest request = new() { PromptIds = [.. promptIds], MaxNewTokens = newTokens, Sampling = new SamplingOptions { Temperature = 0 }, Caller = caller };
        Sequence sequence = new(model, request, RequestCheck.CapacityTokens(model, request, Budget.LimitBytes), channelTokens, () => { });
        try
        {
            _places.Take(caller);
        }
        catch (EngineBusyException)
        {
            return null;
        }
        model.Sequences++;
        Scheduler.Add(sequence);
        return sequence;
    }

    public void Dispose()
    {
        Scheduler.EndAll(new ObjectDisposedException(nameof(ScheduleFixture)));
        _checkpoint.Dispose();
        _tiny.Dispose();
    }
}
