using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace TinyLlm.Storage;

/// <summary>
/// Grain state as objects, by the rules and under the names of the official Azure Blob provider, so that either can go on where the other stopped:
/// object <c>{stateName}-{grainType}/{key}.json</c>; a state without an ETag is written only if there is no object, one with an ETag only over that very
/// object; else <see cref="InconsistentStateException"/>. An empty object is no state but keeps its ETag. Clearing deletes.
/// Characters that no object name has are escaped (<see cref="ObjectName.Escape"/>); our keys have none.
/// </summary>
internal sealed class ObjectGrainStorage(ObjectStore store, IGrainStorageSerializer serializer, IActivatorProvider activators) : IGrainStorage
{
    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        StoredObject? stored = await store.GetAsync(NameOf(stateName, grainId), CancellationToken.None).ConfigureAwait(false);
        T? state = stored is null || stored.Bytes.IsEmpty ? default : serializer.Deserialize<T>(new BinaryData(stored.Bytes));
        grainState.ETag = stored?.ETag;
        grainState.RecordExists = state is not null;
        grainState.State = state ?? Empty<T>();
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        ReadOnlyMemory<byte> bytes = serializer.Serialize(grainState.State).ToMemory();
        try
        {
            grainState.ETag = await store.PutAsync(NameOf(stateName, grainId), bytes, ConditionOf(grainState), CancellationToken.None).ConfigureAwait(false);
            grainState.RecordExists = true;
        }
        catch (StoreException error) when (IsConflict(error))
        {
            throw Inconsistent(stateName, grainId, grainState, error);
        }
    }

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        try
        {
            await store.DeleteAsync(NameOf(stateName, grainId), ConditionOf(grainState), CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreException error) when (IsConflict(error))
        {
            throw Inconsistent(stateName, grainId, grainState, error);
        }
        grainState.ETag = null;
        grainState.RecordExists = false;
        grainState.State = Empty<T>();
    }

    internal static string NameOf(string stateName, GrainId grainId) => ObjectName.Escape($"{stateName}-{grainId}.json");

    private static PutCondition ConditionOf<T>(IGrainState<T> state) =>
        string.IsNullOrEmpty(state.ETag) ? PutCondition.IfAbsent : PutCondition.IfMatch(state.ETag);

    private static bool IsConflict(StoreException error) => error.Error is StoreError.ConditionFailed or StoreError.NotFound;

    private static InconsistentStateException Inconsistent<T>(string stateName, GrainId grainId, IGrainState<T> state, StoreException error) =>
        new($"the state '{stateName}' of grain {grainId} was changed by somebody else since it was read", error.StoredETag ?? "unknown", state.ETag, error);

    private T Empty<T>() => activators.GetActivator<T>().Create();
}
