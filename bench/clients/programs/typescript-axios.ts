import type { AxiosResponse } from "axios";

/** What a call was answered: this client gives it with its status and headers. */
export const body = async <T>(answer: Promise<AxiosResponse<T>>): Promise<T> => (await answer).data;

export const statusOf = (error: any): number | undefined => error.response?.status;

export const configuration = (basePath: string, accessToken: string) => ({ basePath, accessToken });
