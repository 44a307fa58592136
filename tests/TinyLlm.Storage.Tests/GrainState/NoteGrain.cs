namespace TinyLlm.Storage.Tests;

[Alias("test.INoteGrain")]
public interface INoteGrain : IGrainWithStringKey
{
    [Alias("Read")]
    Task<string?> ReadAsync();

    [Alias("Write")]
    Task WriteAsync(string text);

    [Alias("Clear")]
    Task ClearAsync();

    [Alias("Exists")]
    Task<bool> ExistsAsync();
}

[GrainType("test.note")]
public sealed class NoteGrain([PersistentState("note", GrainStorageHosting.DefaultName)] IPersistentState<NoteState> state) : Grain, INoteGrain
{
    public Task<string?> ReadAsync() => Task.FromResult(state.State.Text);

    public Task WriteAsync(string text)
    {
        state.State.Text = text;
        state.State.Owner ??= UserId.New();
        return state.WriteStateAsync();
    }

    public Task ClearAsync() => state.ClearStateAsync();

    public Task<bool> ExistsAsync() => Task.FromResult(state.RecordExists);
}

[GenerateSerializer, Alias("test.NoteState")]
public sealed class NoteState
{
    [Id(0)]
    public string? Text { get; set; }

    [Id(1)]
    public UserId? Owner { get; set; }
}
