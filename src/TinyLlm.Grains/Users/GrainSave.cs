namespace TinyLlm.Grains.Users;

/// <summary>Writes a grain's state so that a failed write leaves no trace in memory.</summary>
internal static class GrainSave
{
    /// <summary>
    /// Writes <paramref name="state"/>. If that fails, the change in memory was never acknowledged and must not be seen by the next call:
    /// the stored state is read back, and the activation ends, so that the next one starts from the store in any case.
    /// </summary>
    public static async Task OrForget<T>(Grain grain, IPersistentState<T> state)
    {
        try
        {
            await state.WriteStateAsync();
        }
        catch
        {
            await Forget(grain, state);
            throw;
        }
    }

    /// <summary>Gives up what was changed in memory and not written.</summary>
    public static Task Forget<T>(Grain grain, IPersistentState<T> state)
    {
        ((IGrainBase)grain).DeactivateOnIdle();
        return state.ReadStateAsync();
    }
}
