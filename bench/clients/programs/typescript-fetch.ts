/** What a call was answered: this client gives just that. */
export const body = async <T>(answer: Promise<T>): Promise<T> => answer;

export const statusOf = (error: any): number | undefined => error.response?.status;

export const configuration = (basePath: string, accessToken: string) => ({ basePath, accessToken });
