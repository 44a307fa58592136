namespace TinyLlm.Engine;

/// <summary>
/// Chooses what one turn runs: for each model a token of every sequence that decodes and is not paused, up to a bound; and chunks of prompts up
/// to a bound for all models together, so that a turn's length is bounded whoever asks for what. Where not all fit, the caller with the least
/// service goes first, one sequence at a time, and within a caller the sequence that ran longest ago. The loop's thread owns it.
/// </summary>
internal sealed class TurnPlan(DeviceLoopOptions options, CallerShares shares)
{
    // An even share of a turn's prompt tokens is never less: shorter chunks cost more than they compute. A choice, not a measurement.
    private const int LeastShareTokens = 32;

    // Logits of one chunk of a prompt whose log-probabilities are wanted: 32 MiB of f32, so a wide vocabulary makes the chunk short.
    private const int MaxPromptLogits = 8 << 20;

    private readonly HeadStart _headStart = new(options, shares);
    private readonly List<ModelBatch> _batches = [];
    private readonly List<Sequence> _candidates = [];
    private long _turn;

    /// <summary>The batches to run, the one of the caller with the least service first.</summary>
    public IReadOnlyList<ModelBatch> Make(List<Sequence> running)
    {
        _turn++;
        _batches.Clear();
        _candidates.Clear();
        double limit = _headStart.Limit(running);
        _candidates.AddRange(running.Where(sequence => sequence.Share.Service <= limit));
        ChooseDecoding(_candidates);
        ChoosePrompts(_candidates);
        _batches.Sort((one, other) => one.LeastService.CompareTo(other.LeastService));
        return _batches;
    }

    private void ChooseDecoding(List<Sequence> running)
    {
        foreach (IGrouping<ResidentModel, Sequence> model in running.Where(sequence => !sequence.IsPrefilling && sequence.StalledSince is null).GroupBy(sequence => sequence.Model))
        {
            IEnumerable<Sequence> chosen = model.Count() <= options.MaxBatch ? model : InFairOrder(model).Take(options.MaxBatch);
            foreach (Sequence sequence in chosen)
            {
                Add(new BatchEntry(sequence, PromptTokens: 0));
                sequence.Share.ChargeOutput(1);
            }
        }
    }

    private void ChoosePrompts(List<Sequence> running)
    {
        int left = options.PrefillTokens, evenShare = Math.Max(LeastShareTokens, left / Math.Max(1, shares.Present));
        CallerShare? first = null;
        Dictionary<CallerShare, int> taken = [];
        foreach (Sequence sequence in InFairOrder(running.Where(sequence => sequence.IsPrefilling)))
        {
            first ??= sequence.Share;
            int mine = sequence.Share == first ? left : Math.Min(left, evenShare - taken.GetValueOrDefault(sequence.Share));
            int count = Math.Min(mine, sequence.Request.PromptIds.Length - sequence.Cache!.Length); // it runs, so it has a cache
            if (sequence.Request.PromptTopLogprobs is not null) count = Math.Min(count, Math.Max(1, MaxPromptLogits / sequence.Model.Config.VocabularySize));
            if (count <= 0) continue;
            Add(new BatchEntry(sequence, count));
            sequence.Share.ChargeInput(count);
            taken[sequence.Share] = taken.GetValueOrDefault(sequence.Share) + count;
            left -= count;
            if (left == 0) break;
        }
    }

    /// <summary>Whoever reads it charges a sequence's caller before it takes the next.</summary>
    private static IEnumerable<Sequence> InFairOrder(IEnumerable<Sequence> sequences)
    {
        PriorityQueue<Queue<Sequence>, (double Service, long LastTurn, long Number)> callers = new();
        foreach (IGrouping<CallerShare, Sequence> caller in sequences.GroupBy(sequence => sequence.Share))
            Enqueue(new Queue<Sequence>(caller.OrderBy(sequence => sequence.LastTurn).ThenBy(sequence => sequence.Number)));
        while (callers.TryDequeue(out Queue<Sequence>? caller, out _))
        {
            yield return caller.Dequeue();
            if (caller.Count > 0) Enqueue(caller);
        }

        void Enqueue(Queue<Sequence> caller)
        {
            Sequence first = caller.Peek();
            callers.Enqueue(caller, (first.Share.Service, first.LastTurn, first.Number));
        }
    }

    private void Add(BatchEntry entry)
    {
        ModelBatch? batch = _batches.Find(batch => batch.Model == entry.Sequence.Model);
        if (batch is null) _batches.Add(batch = new ModelBatch(entry.Sequence.Model));
        batch.Add(entry);
        entry.Sequence.LastTurn = _turn;
    }
}
