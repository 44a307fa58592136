using System.Collections.Immutable;
using TinyLlm.Grains.Placement;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Usage;

/// <inheritdoc cref="IUsageLedgerGrain"/>
/// <remarks>Counts and the number of the delta that they came from are one write: after any crash a delta is in both or in neither.</remarks>
[OnCoreSilos]
[GrainType("usageledger")]
internal sealed class UsageLedgerGrain(
    [PersistentState("usage", GrainStorageHosting.DefaultName)] IPersistentState<UsageLedgerState> state, TimeProvider time) : Grain, IUsageLedgerGrain
{
    /// <summary>Models of one day that are told apart; names come and go without end.</summary>
    internal const int MaxModelsPerDay = 500;

    /// <summary>Where the models beyond that are counted together.</summary>
    internal const string OtherModels = "(other)";

    /// <summary>A source repeats a delta within seconds of the first attempt, or not at all.</summary>
    private static readonly TimeSpan SourceLifetime = TimeSpan.FromDays(1);

    private bool _isForgotten;

    public async Task Add(UsageDelta delta)
    {
        if (_isForgotten) return;
        DateTimeOffset now = time.GetUtcNow();
        CountedSource source = state.State.Sources.TryGetValue(delta.Source, out CountedSource? known) ? known : new CountedSource();
        if (delta.Number <= source.Number) return;

        foreach (UsageRow row in delta.Rows) Count(row);
        foreach (StoredBytesRow row in delta.Stored) state.State.Stored[row.Day] = new Dictionary<string, long>(row.Models);
        foreach (string gone in state.State.Sources.Where(pair => pair.Value.At < now - SourceLifetime).Select(pair => pair.Key).ToArray()) state.State.Sources.Remove(gone);
        state.State.Sources[delta.Source] = new CountedSource { Number = delta.Number, At = now };
        await GrainSave.OrForget(this, state);
    }

    public Task<UsageMonth> Read()
    {
        if (!state.RecordExists && !_isForgotten) DeactivateOnIdle(); // a month that was only asked for must not stay in memory
        return Task.FromResult(new UsageMonth
        {
            Rows = [.. state.State.Days.SelectMany(day => day.Value.OrderBy(model => model.Key, StringComparer.Ordinal).SelectMany(model => Rows(day.Key, model.Key, model.Value)))],
            Stored = [.. state.State.Stored.Select(day => new StoredBytesRow { Day = day.Key, Models = day.Value.ToImmutableDictionary() })],
        });
    }

    public async Task Forget()
    {
        _isForgotten = true;
        if (state.RecordExists) await state.ClearStateAsync();
    }

    private void Count(UsageRow row)
    {
        if (!state.State.Days.TryGetValue(row.Day, out Dictionary<string, ModelUse>? models)) state.State.Days[row.Day] = models = [];
        string model = models.ContainsKey(row.Model) || models.Count < MaxModelsPerDay ? row.Model : OtherModels;
        if (!models.TryGetValue(model, out ModelUse? use)) models[model] = use = new ModelUse();
        if (row.Role == UsageRole.Owner) use.Owner += row.Count;
        else use.Consumer += row.Count;
    }

    private static IEnumerable<UsageRow> Rows(DateOnly day, string model, ModelUse use)
    {
        if (use.Consumer != default) yield return new UsageRow { Day = day, Model = model, Role = UsageRole.Consumer, Count = use.Consumer };
        if (use.Owner != default) yield return new UsageRow { Day = day, Model = model, Role = UsageRole.Owner, Count = use.Owner };
    }
}
