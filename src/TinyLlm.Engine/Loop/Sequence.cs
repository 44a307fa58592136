using System.Diagnostics;
using System.Threading.Channels;

namespace TinyLlm.Engine;

/// <summary>
/// One generation inside the loop. The loop's thread owns every field but the cancel flag; the caller sees it as a <see cref="Generation"/>.
/// </summary>
internal sealed class Sequence(ResidentModel model, GenerationRequest request, int capacityTokens, int channelTokens, Action wake)
{
    private volatile bool _isCancelled;
    private SequenceTimes _times;

    public ResidentModel Model { get; } = model;

    public GenerationRequest Request { get; } = request;

    /// <summary>Tokens that its cache must hold.</summary>
    public int CapacityTokens { get; } = capacityTokens;

    public int MaxNewTokens { get; } = RequestCheck.NewTokens(model, request);

    public SequenceSampler Sampler { get; } = new(request);

    /// <summary>Grows with the prefill, and no more once a token was emitted.</summary>
    public List<TokenLogprobs?> PromptLogprobs { get; } = [];

    public Channel<GeneratedToken> Tokens { get; } = Channel.CreateBounded<GeneratedToken>(new BoundedChannelOptions(channelTokens)
    {
        SingleReader = true,
        SingleWriter = true,
    });

    public TaskCompletionSource<GenerationEnd> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsCancelled => _isCancelled;

    /// <summary>Null until a slot and memory are there.</summary>
    public IKeyValueCache? Cache { get; set; }

    public long CacheBytes { get; set; }

    /// <summary>Its caller's share, from when the scheduler takes it.</summary>
    public CallerShare Share { get; set; } = null!; // the scheduler takes it before anything else sees it

    /// <summary>Counts up from one sequence to the next, in the order of their arrival.</summary>
    public long Number { get; set; }

    /// <summary>The last turn that ran it; 0: none did.</summary>
    public long LastTurn { get; set; }

    /// <summary>Tokens of its prompt that the prefix cache knew.</summary>
    public int CachedTokens { get; set; }

    /// <summary>Whether its caller was forgotten: the prefix cache then keeps nothing of it.</summary>
    public bool IsForgotten { get; set; }

    /// <summary>Where the hidden states of its ids are added up; null: it generates.</summary>
    public double[]? Sums { get; init; }

    /// <summary>When it began to wait; once it runs, when its reader fell a channel's worth behind. Null: neither.</summary>
    public long? StalledSince { get; set; }

    /// <summary>When what happened to it.</summary>
    public ref SequenceTimes Times => ref _times;

    /// <summary>Its part of the trace of whoever started it.</summary>
    public SequenceTrace Trace { get; } = new(Activity.Current?.Context ?? default);

    public int EmittedTokens => EmittedIds.Count;

    public List<int> EmittedIds { get; } = [];

    /// <summary>The token decoded last, which the next forward appends.</summary>
    public int[] LastToken { get; } = new int[1];

    public bool IsPrefilling => Cache!.Length < Request.PromptIds.Length;

    public bool HasRoom => Tokens.Reader.Count < channelTokens;

    public void Cancel()
    {
        _isCancelled = true;
        wake();
    }
}
