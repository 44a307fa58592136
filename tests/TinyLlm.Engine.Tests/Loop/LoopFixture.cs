using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using TinyLlm.Tests;

namespace TinyLlm.Engine.Tests;

/// <summary>A loop over a simulated device with one resident model, and fake time.</summary>
internal sealed class LoopFixture : IAsyncDisposable
{
    private readonly TinyCheckpoint _tiny = new();
    private readonly Checkpoint _checkpoint;

    private LoopFixture(SimulatedBackend device, DeviceLoopOptions options)
    {
        Device = device;
        _checkpoint = Checkpoint.Open(_tiny.Write());
        Loop = new DeviceLoop(device, options, Time, NullLogger<DeviceLoop>.Instance);
    }

    /// <summary>Bytes of the tiny checkpoint's weights.</summary>
    public static long WeightBytes { get; } = Weigh();

    public SimulatedBackend Device { get; }

    public FakeTimeProvider Time { get; } = new();

    public DeviceLoop Loop { get; }

    public ResidentModel Model { get; private set; } = null!;

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<LoopFixture> Create(DeviceLoopOptions? options = null, SimulatedBackend? device = null)
    {
        LoopFixture fixture = new(device ?? new SimulatedBackend(), options ?? new DeviceLoopOptions());
        fixture.Model = await fixture.Load();
        return fixture;
    }

    public Task<ResidentModel> Load() => Loop.LoadAsync(_checkpoint, Cancellation);

    public Generation Start(int promptTokens, int newTokens, string caller = "", int[]? stopIds = null, ResidentModel? model = null) => Loop.Start(model ?? Model, new GenerationRequest
    {
        PromptIds = [.. Enumerable.Range(0, promptTokens).Select(i => i % TinyCheckpoint.Vocabulary)],
        Sampling = new SamplingOptions { Temperature = 0 },
        MaxNewTokens = newTokens,
        StopIds = [.. stopIds ?? []],
        Caller = caller,
    });

    public static async Task<int[]> ReadAll(Generation generation)
    {
        List<int> ids = [];
        await foreach (GeneratedToken token in generation.Tokens.ReadAllAsync(Cancellation)) ids.Add(token.Id);
        return [.. ids];
    }

    /// <summary>Lets a whole sequence run by: whatever the loop could do before it, it has done.</summary>
    public async Task Pass()
    {
        Generation generation = Start(1, 3);
        await ReadAll(generation);
        await generation.Completion;
    }

    private static long Weigh()
    {
        using TinyCheckpoint tiny = new();
        return tiny.Tensors.Values.Sum(tensor => (long)tensor.Bytes.Length);
    }

    public async ValueTask DisposeAsync()
    {
        Device.Open();
        await Loop.DisposeAsync();
        _checkpoint.Dispose();
        _tiny.Dispose();
    }
}
