using TinyLlm.Engine;
using TinyLlm.Grains.Errors;

namespace TinyLlm.Grains.Residency;

/// <summary>
/// One user of a resident model: while it is held, the model is not evicted. Generations that were started through it keep the hold until
/// the engine let go of their tensors, even when the holder is long gone. When the model is dropped, they are cut and the hold ends.
/// </summary>
internal sealed class ResidentHold(LoadedModel model, DeviceLoop loop, Action release, CancellationToken cut) : IDisposable
{
    private CancellationTokenRegistration _cutting;
    private Action? _release = release;
    private readonly List<Generation> _generations = [];

    public LoadedModel Model => model;

    /// <summary>Cancelled when the model is dropped.</summary>
    public CancellationToken Cut => cut;

    /// <summary>Starts the generations of this hold, once. If one can't be started, disposing the hold cancels those before it.</summary>
    public Generation[] Start(params ReadOnlySpan<GenerationRequest> requests)
    {
        if (_generations.Count > 0) throw new InvalidOperationException("A hold starts its generations once.");
        if (cut.IsCancellationRequested) throw RequestException.NotFound("model");
        try
        {
            foreach (GenerationRequest request in requests) _generations.Add(loop.Start(model.Weights, request));
            _cutting = cut.UnsafeRegister(static hold => ((ResidentHold)hold!).Dispose(), this);
            return [.. _generations];
        }
        catch (EngineBusyException busy)
        {
            throw new RequestException(RequestError.NoCapacity, "The accelerator's queue is full: try again soon.") { RetryAfter = busy.RetryAfter };
        }
        catch (ArgumentException)
        {
            // The prompt fits the model's context, so what is left to refuse is the cache's size.
            throw new RequestException(
                RequestError.NoCapacity, "The cache for this many tokens is larger than the accelerator's budget: lower max_tokens; no repeat will help.");
        }
    }

    /// <summary>Starts to embed a text. Whoever does awaits its end before the hold is disposed.</summary>
    public EmbeddingRun Embed(EmbeddingRequest request)
    {
        if (cut.IsCancellationRequested) throw RequestException.NotFound("model");
        try
        {
            return loop.Embed(model.Weights, request);
        }
        catch (EngineBusyException busy)
        {
            throw new RequestException(RequestError.NoCapacity, "The accelerator's queue is full: try again soon.") { RetryAfter = busy.RetryAfter };
        }
        catch (ArgumentException)
        {
            // The text fits the model's context, so what is left to refuse is the cache's size.
            throw new RequestException(
                RequestError.NoCapacity, "The cache for a text of this length is larger than the accelerator's budget: shorten it; no repeat will help.");
        }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _release, null) is not { } release) return;
        _cutting.Unregister();
        foreach (Generation generation in _generations) generation.Cancel(); // after the end it does nothing
        // Nobody awaits this: the release can't fail, and Completion never faults. Without a generation it is released at once.
        _ = Task.WhenAll(_generations.Select(generation => generation.Completion)).ContinueWith(
            static (_, state) => ((Action)state!)(), release, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}
